/**
 * What is under a point of the stage.
 *
 * @typedef {{area: "ruler"|"keys"|"header"|"lane"|"none", lane: import("./lanes.js").Lane|null, tick: number,
 *     pitch: number|null, note: number, side: "left"|"right"|"body"|""}} Hit
 */
import { KEYS, RULER } from "./view.js";

/** @returns {Hit} note -1: none */
export function hitTest(view, score, x, y, reach = 0) {
  const tick = view.tick(x);
  const nothing = { lane: null, tick, pitch: null, note: -1, side: "" };
  if (y < RULER) return { ...nothing, area: "ruler" };
  const lane = view.laneAt(y);
  if (!lane) return { ...nothing, area: "none" };
  if (y < view.laneTop(lane) + lane.header) return { ...nothing, area: "header", lane };
  const pitch = view.pitch(lane, y);
  if (x < KEYS) return { ...nothing, area: "keys", lane, pitch };
  const note = noteAt(view, score, lane, x, y, reach);
  return { area: "lane", lane, tick, pitch, note, side: note < 0 ? "" : sideOf(view, score, note, x, reach) };
}

/** The note under a point, else the nearest within reach (pixels, for fingers); -1: none. */
function noteAt(view, score, lane, x, y, reach) {
  const slack = Math.max(2, reach) / view.pixelsPerTick;
  const tick = view.tick(x);
  let best = -1;
  let nearest = reach + 0.5;
  for (const index of score.notesBetween(Math.floor(tick - slack), Math.ceil(tick + slack) + 1)) {
    if (lane.partIndex !== null && score.notes.part[index] !== lane.partIndex) continue;
    const distance = distanceTo(view, score, lane, index, x, y);
    if (distance <= nearest) [best, nearest] = [index, distance];
  }
  return best;
}

function distanceTo(view, score, lane, index, x, y) {
  const left = view.x(score.notes.onset[index]);
  const right = Math.max(left + 3, view.x(score.notes.onset[index] + score.notes.duration[index]));
  const top = view.y(lane, score.notes.pitch[index]);
  const across = Math.max(left - x, x - right, 0);
  const along = Math.max(top - y, y - top - view.rowHeight, 0);
  return Math.max(across, along);
}

/** The edges of a note stretch it; a short note is all body but for its last third. */
function sideOf(view, score, index, x, reach) {
  const left = view.x(score.notes.onset[index]);
  const right = view.x(score.notes.onset[index] + score.notes.duration[index]);
  const edge = Math.min(reach ? 14 : 7, (right - left) / 3);
  if (right - left < 9) return "body";
  if (x >= right - edge) return "right";
  return x <= left + edge ? "left" : "body";
}

/**
 * Notes whose head lies in a rectangle of the stage: onset and row, as the region's rule has it; a
 * note that the rectangle crosses counts too.
 */
export function notesIn(view, score, { left, right, top, bottom }) {
  const lanes = view.lanes.filter((lane) => !lane.collapsed);
  return score.notesBetween(Math.floor(view.tick(left)), Math.ceil(view.tick(right))).filter((index) =>
    lanes.some((lane) => {
      if (lane.partIndex !== null && lane.partIndex !== score.notes.part[index]) return false;
      const y = view.y(lane, score.notes.pitch[index]);
      return y < bottom && y + view.rowHeight > top;
    }),
  );
}
