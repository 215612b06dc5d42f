/**
 * Drawing the roll's layers. Each function draws what of its layer is visible, on a cleared canvas
 * whose units are the stage's pixels, and keeps nothing.
 *
 * @typedef {{view: import("./view.js").View, score: import("../score.js").Score, theme: object,
 *     limits: import("./limits.js").Limits, silent: Set<number>}} Scene
 *     silent: parts that are not heard (muted, or others are solo)
 */
import { KEYS, RULER } from "./view.js";
import { partColour, shadeOf } from "./theme.js";
import { pitchName } from "./words.js";

const BLACK = new Set([1, 3, 6, 8, 10]);
const LEAST_LABEL_PIXELS = 46;
const LEAST_BAR_PIXELS = 7;
const LEAST_BEAT_PIXELS = 12;
const MOST_ROUND_NOTES = 2500;

/** Layer 1: rows, bar lines, places that may not be marked, ruler, keyboard. */
export function paintGrid(context, scene) {
  const { view, theme } = scene;
  context.fillStyle = theme.bg;
  context.fillRect(0, 0, view.width, view.height);
  const lanes = view.lanes.filter((lane) => !lane.collapsed && view.isLaneVisible(lane));
  lanes.forEach((lane) => paintRows(context, scene, lane));
  paintLines(context, scene, lanes);
  lanes.forEach((lane) => paintBanned(context, scene, lane));
  lanes.forEach((lane) => paintKeys(context, scene, lane));
  paintRuler(context, scene);
}

function paintRows(context, { view, theme }, lane) {
  const right = view.width;
  for (let pitch = lane.low; pitch <= lane.high; pitch++) {
    const y = view.y(lane, pitch);
    if (y > view.height || y + view.rowHeight < RULER) continue;
    if (BLACK.has(pitch % 12)) {
      context.fillStyle = theme.blackRow;
      context.fillRect(KEYS, y, right, view.rowHeight);
    }
    if (view.rowHeight < 6 && pitch % 12) continue;
    context.fillStyle = pitch % 12 ? theme.rowLine : theme.octave;
    context.fillRect(KEYS, y + view.rowHeight - 1, right, 1);
  }
}

/** Measures to label or rule: every 1, 2, 4 … so that they are `least` pixels apart. */
function measureStride(view, score, least) {
  const first = score.measureAt(view.scrollTick);
  const pixels = (score.measureEnd(first) - score.measureStart(first)) * view.pixelsPerTick;
  let stride = 1;
  while (stride * pixels < least && stride < 1 << 16) stride *= 2;
  return stride;
}

function visibleMeasures(view, score, stride, drawn) {
  const [start, end] = view.span;
  const last = score.measureIndexBeyond(Math.min(end, view.endTick - 1));
  let index = score.measureIndexBeyond(start);
  for (index -= index % stride; index <= last; index += stride) drawn(index, score.measureStart(index));
}

function paintLines(context, { view, score, theme }, lanes) {
  const stride = measureStride(view, score, LEAST_BAR_PIXELS);
  const rule = (tick, colour) => {
    const x = Math.round(view.x(tick));
    if (x < KEYS) return;
    context.fillStyle = colour;
    for (const lane of lanes) {
      const top = view.laneTop(lane) + lane.header;
      context.fillRect(x, top, 1, lane.height - lane.header);
    }
  };
  visibleMeasures(view, score, stride, (index, start) => {
    const beat = score.beatTicks(index);
    if (stride === 1 && beat * view.pixelsPerTick >= LEAST_BEAT_PIXELS) {
      for (let tick = start + beat; tick < score.measureStart(index + 1); tick += beat) rule(tick, theme.beat);
    }
    rule(start, theme.bar);
  });
}

/** Hatched: parts and measures the card does not allow, pitches it does not write, past the end. */
function paintBanned(context, scene, lane) {
  const { view, score, limits } = scene;
  const top = view.laneTop(lane) + lane.header;
  const height = lane.height - lane.header;
  if (lane.partIndex !== null && !limits.allowsPart(lane.partIndex)) {
    return hatch(context, scene, KEYS, top, view.width - KEYS, height);
  }
  paintBannedMeasures(context, scene, top, height);
  const rows = (first, last) => {
    const y = view.y(lane, Math.min(last, lane.high));
    const end = view.y(lane, Math.max(first, lane.low)) + view.rowHeight;
    if (end > y) hatch(context, scene, KEYS, y, view.width - KEYS, end - y);
  };
  const [lowest, highest] = limits.accepts.pitch;
  if (lane.low < lowest) rows(lane.low, lowest - 1);
  if (lane.high > highest) rows(highest + 1, lane.high);
  const end = view.x(score.measureStart(score.measureCount));
  if (end < view.width && !limits.accepts.beyond_end) hatch(context, scene, end, top, view.width - end, height);
}

function paintBannedMeasures(context, scene, top, height) {
  const { view, score, limits } = scene;
  if (!limits.accepts.meters.length || !score.measureCount) return;
  const [start, end] = view.span;
  const last = Math.min(score.measureAt(end), score.measureCount - 1);
  for (let index = score.measureAt(start); index <= last; index++) {
    if (limits.allowsMeasure(index)) continue;
    const first = index;
    while (index < last && !limits.allowsMeasure(index + 1)) index++;
    const x = Math.max(KEYS, view.x(score.measureStart(first)));
    hatch(context, scene, x, top, view.x(score.measureEnd(index)) - x, height);
  }
}

function hatch(context, { view, theme }, x, y, width, height) {
  context.save();
  context.beginPath();
  context.rect(Math.max(KEYS, x), Math.max(RULER, y), width, Math.min(height, view.height));
  context.clip();
  context.fillStyle = theme.no;
  context.globalAlpha = 0.14;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 0.4;
  context.strokeStyle = theme.no;
  context.lineWidth = 1;
  context.beginPath();
  const top = Math.max(RULER, y);
  const bottom = Math.min(view.height, y + height);
  const reach = bottom - top;
  const left = Math.max(KEYS, x) - reach;
  for (let start = left - (left % 9); start < Math.min(view.width, x + width); start += 9) {
    context.moveTo(start, bottom);
    context.lineTo(start + reach, top);
  }
  context.stroke();
  context.restore();
}

function paintKeys(context, { view, theme }, lane) {
  const top = view.laneTop(lane) + lane.header;
  context.fillStyle = theme.whiteKey;
  context.fillRect(0, top, KEYS - 1, lane.height - lane.header);
  context.font = `10px ${theme.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (let pitch = lane.low; pitch <= lane.high; pitch++) {
    const y = view.y(lane, pitch);
    if (y > view.height || y + view.rowHeight < RULER) continue;
    if (BLACK.has(pitch % 12)) {
      context.fillStyle = theme.blackKey;
      context.fillRect(0, y, KEYS * 0.48, Math.max(1, view.rowHeight - 0.5));
    } else if (pitch % 12 === 0 || pitch % 12 === 5) {
      context.fillStyle = theme.bar;
      context.fillRect(0, y + view.rowHeight - 1, KEYS - 1, 1);
    }
    if (pitch % 12 === 0) {
      context.fillStyle = "#1f2530"; // on white keys in both themes
      context.fillText(pitchName(pitch), KEYS - 4, y + view.rowHeight / 2 + 0.5);
    }
  }
  context.fillStyle = theme.border;
  context.fillRect(KEYS - 1, top, 1, lane.height - lane.header);
}

function paintRuler(context, { view, score, theme, limits }) {
  context.fillStyle = theme.panel;
  context.fillRect(0, 0, view.width, RULER);
  context.fillStyle = theme.border;
  context.fillRect(0, RULER - 1, view.width, 1);
  if (!score.measureCount) return;
  context.font = `11px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const stride = measureStride(view, score, LEAST_LABEL_PIXELS);
  context.save();
  context.beginPath();
  context.rect(KEYS, 0, view.width, RULER);
  context.clip();
  visibleMeasures(view, score, stride, (index, start) => {
    const x = Math.round(view.x(start));
    context.fillStyle = theme.bar;
    context.fillRect(x, RULER - 9, 1, 8);
    context.fillStyle = index < score.measureCount && limits.allowsMeasure(index) ? theme.text : theme.quiet;
    if (index < score.measureCount) context.fillText(score.measures.number[index], x + 4, RULER / 2);
  });
  context.restore();
}

/**
 * Layer 2. Where notes are narrower than a pixel, one of a column and pitch is drawn for all.
 * @param {{changed: Set<number>, selection: import("../selection.js").Selection, without: Set<number>}} marks
 *     without: notes that are being dragged, drawn elsewhere
 */
export function paintNotes(context, scene, { changed, selection, without }) {
  const { view, score } = scene;
  const [start, end] = view.span;
  const lanes = lanesOfParts(view, score);
  const visible = score.notesBetween(start, end);
  const isFine = view.rowHeight >= 6 && visible.length < MOST_ROUND_NOTES;
  const marked = new Set(selection.partIndexes);
  const isApart = (lane, part) => lane.partIndex === null && marked.size > 0 && !marked.has(part); // one lane: which parts are marked
  const drawnUpTo = new Float64Array(score.parts.length * 128).fill(-1);
  context.save();
  clipContent(context, view);
  const boxes = [];
  for (const index of visible) {
    const lane = lanes[score.notes.part[index]];
    if (!lane || without.has(index)) continue;
    const isMarked = changed.has(index);
    const row = score.notes.part[index] * 128 + score.notes.pitch[index];
    if (!isMarked && view.x(score.notes.onset[index] + score.notes.duration[index]) <= drawnUpTo[row]) continue;
    const box = noteBox(view, lane, score.notes.onset[index], score.notes.duration[index], score.notes.pitch[index]);
    if (box.y > view.height || box.y + box.height < RULER) continue;
    drawnUpTo[row] = Math.ceil(box.x + box.width);
    context.fillStyle = noteColour(scene, score.notes.part[index], score.notes.velocity[index]);
    context.globalAlpha = isApart(lane, score.notes.part[index]) ? 0.35 : 1;
    fillNote(context, box, isFine);
    if (isMarked || isKept(selection, score, index)) boxes.push([index, box, isMarked]);
  }
  context.globalAlpha = 1;
  for (const [index, box, isMarked] of boxes) paintMarks(context, scene, box, isMarked, isKept(selection, score, index));
  context.restore();
}

function isKept(selection, score, index) {
  return selection.kept.length > 0 && selection.keeps({ part: score.notes.part[index], onset: score.notes.onset[index], pitch: score.notes.pitch[index] });
}

function paintMarks(context, { theme }, box, isChanged, isLocked) {
  if (isChanged) {
    context.strokeStyle = theme.changed;
    context.lineWidth = 2;
    context.strokeRect(box.x, box.y, Math.max(2, box.width), box.height);
  }
  if (isLocked) paintLocked(context, theme, box);
}

/** A dark frame and, where there is room, a small padlock: not by colour alone. */
function paintLocked(context, theme, box) {
  context.strokeStyle = theme.kept;
  context.lineWidth = 1.5;
  context.strokeRect(box.x + 0.75, box.y + 0.75, Math.max(1, box.width - 1.5), box.height - 1.5);
  if (box.height < 6 || box.width < 9) return;
  const size = Math.min(box.height - 3, 9);
  const x = box.x + 3.5;
  const y = box.y + box.height / 2;
  context.fillStyle = theme.kept;
  context.fillRect(x, y - size * 0.08, size * 0.8, size * 0.5);
  context.lineWidth = 1.2;
  context.beginPath();
  context.arc(x + size * 0.4, y - size * 0.08, size * 0.26, Math.PI, 0);
  context.stroke();
}

function noteColour({ theme, silent }, part, velocity) {
  return silent.has(part) ? theme.muted : theme.shades[partColour(part)][shadeOf(velocity)];
}

function lanesOfParts(view, score) {
  const lanes = new Array(score.parts.length).fill(null);
  for (const lane of view.lanes) {
    if (lane.collapsed || !view.isLaneVisible(lane)) continue;
    if (lane.partIndex === null) lanes.fill(lane);
    else lanes[lane.partIndex] = lane;
  }
  return lanes;
}

function noteBox(view, lane, onset, duration, pitch) {
  const x = view.x(onset);
  const gap = view.rowHeight >= 6 ? 1 : 0;
  return {
    x, y: view.y(lane, pitch) + gap / 2,
    width: Math.max(1.5, duration * view.pixelsPerTick - gap), height: view.rowHeight - gap,
  };
}

function fillNote(context, { x, y, width, height }, isRound) {
  if (!isRound || width < 5) return context.fillRect(x, y, width, height);
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(2.5, height / 3));
  context.fill();
}

function clipContent(context, view) {
  context.beginPath();
  context.rect(KEYS, RULER, view.width - KEYS, view.height - RULER);
  context.clip();
}

/**
 * Layer 3: marked boxes, chosen notes, notes being dragged, the rubber band.
 * @param {{selection: object, chosen: Set<number>, draft: import("../score.js").Note[], band: object|null}} marks
 */
export function paintSelection(context, scene, { selection, chosen, draft, band }) {
  const { view, score, theme } = scene;
  context.save();
  clipContent(context, view);
  paintBoxes(context, scene, selection);
  const lanes = lanesOfParts(view, score);
  const visible = chosen.size ? score.notesBetween(...view.span).filter((index) => chosen.has(index)) : [];
  for (const index of visible) {
    const lane = lanes[score.notes.part[index]];
    if (lane) frame(context, theme, noteBox(view, lane, score.notes.onset[index], score.notes.duration[index], score.notes.pitch[index]));
  }
  for (const note of draft) {
    const lane = lanes[note.part];
    if (!lane) continue;
    const box = noteBox(view, lane, note.onset, note.duration, note.pitch);
    context.fillStyle = noteColour(scene, note.part, note.velocity);
    fillNote(context, box, true);
    frame(context, theme, box);
  }
  if (band) paintBand(context, theme, band);
  context.restore();
}

function frame(context, theme, box) {
  context.strokeStyle = theme.text;
  context.lineWidth = 2;
  context.strokeRect(box.x, box.y, Math.max(2, box.width), box.height);
}

function paintBoxes(context, { view, theme }, selection) {
  const drawn = new Set();
  for (const box of selection.boxes) {
    for (const lane of view.lanes) {
      const place = `${lane.top}:${box.startTick}:${box.endTick}:${box.low}:${box.high}`;
      if (drawn.has(place) && lane.partIndex === null) continue; // several parts in one lane
      drawn.add(place);
      if (lane.collapsed || (lane.partIndex !== null && lane.partIndex !== box.partIndex)) continue;
      const x = view.x(box.startTick);
      const width = view.x(box.endTick) - x;
      const top = view.y(lane, Math.min(box.high, lane.high));
      const bottom = view.y(lane, Math.max(box.low, lane.low)) + view.rowHeight;
      if (bottom <= top || x > view.width || x + width < KEYS) continue;
      context.fillStyle = theme.select;
      context.globalAlpha = 0.1;
      context.fillRect(x, top, width, bottom - top);
      context.globalAlpha = 1;
      context.strokeStyle = theme.select;
      context.lineWidth = 2;
      context.strokeRect(x + 1, top + 1, width - 2, bottom - top - 2);
    }
  }
}

function paintBand(context, theme, { left, right, top, bottom }) {
  context.fillStyle = theme.quiet;
  context.globalAlpha = 0.12;
  context.fillRect(left, top, right - left, bottom - top);
  context.globalAlpha = 1;
  context.strokeStyle = theme.quiet;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
}

/**
 * Layer 4: where it plays, and where the keyboard is.
 * @param {{playing: number|null, cursor: {tick: number, endTick: number, lane: object|null, pitch: number|null}|null, span: [number, number]|null}} marks
 *     span: of the selection, shown in the ruler
 */
export function paintCursor(context, { view, theme }, { playing, cursor, span }) {
  if (span) paintSpan(context, view, theme, span);
  if (cursor?.lane) paintKeyboardCursor(context, view, theme, cursor);
  if (playing === null) return;
  const x = Math.round(view.x(playing));
  if (x < KEYS || x > view.width) return;
  context.fillStyle = theme.play;
  context.fillRect(x - 1, RULER - 8, 2, view.height);
  context.beginPath();
  context.moveTo(x - 6, RULER - 12);
  context.lineTo(x + 6, RULER - 12);
  context.lineTo(x, RULER - 3);
  context.fill();
}

function paintSpan(context, view, theme, [start, end]) {
  const left = Math.max(KEYS, view.x(start));
  const right = Math.min(view.width, view.x(end));
  if (right <= left) return;
  context.fillStyle = theme.select;
  context.fillRect(left, RULER - 4, right - left, 4);
}

function paintKeyboardCursor(context, view, theme, { tick, endTick, lane, pitch }) {
  context.save();
  clipContent(context, view);
  const top = pitch === null ? view.laneTop(lane) + lane.header : view.y(lane, pitch);
  const height = pitch === null ? Math.max(4, lane.height - lane.header) : view.rowHeight;
  context.strokeStyle = theme.cursor;
  context.lineWidth = 2;
  context.setLineDash([5, 3]);
  context.strokeRect(view.x(tick) + 1, top + 1, Math.max(3, (endTick - tick) * view.pixelsPerTick - 2), Math.max(2, height - 2));
  context.restore();
}

/** The whole score in one strip, made once for each score: where there are notes, part by part. */
export function paintOverview(context, { score, theme }, ranges, width, height) {
  context.clearRect(0, 0, width, height);
  if (!score.endTick) return;
  const parts = Math.max(1, score.parts.length);
  const lane = (height - 6) / parts;
  const { count, onset, duration, part, pitch } = score.notes;
  const drawnUpTo = new Map();
  for (let i = 0; i < count; i++) {
    const x = (onset[i] / score.endTick) * width;
    const [low, high] = ranges[part[i]];
    const y = Math.floor(3 + lane * part[i] + (lane - 1) * (1 - (pitch[i] - low) / Math.max(1, high - low)));
    const row = part[i] * 4096 + y;
    const end = x + Math.max(1, (duration[i] / score.endTick) * width);
    if (end <= (drawnUpTo.get(row) ?? -1)) continue;
    drawnUpTo.set(row, Math.ceil(end));
    context.fillStyle = theme.parts[partColour(part[i])];
    context.fillRect(x, y, end - x, 1);
  }
}
