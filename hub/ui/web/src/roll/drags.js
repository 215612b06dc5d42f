/** What a drag means, apart from the page: from two places to boxes, from pixels to ticks and pitches. */
import { snapNear } from "../grid.js";

/**
 * The boxes that a drag from `anchor` to `head` marks, as far as the card allows.
 * @param {import("./limits.js").Limits} limits
 * @param {{part: number, tick: number, pitch: number}} anchor
 * @param {{part: number, tick: number, pitch: number}} head
 * @param {{grid: number|string, byPitch: boolean, allParts: boolean}} how
 * @returns {import("../selection.js").Box[]}
 */
export function boxesOfDrag(limits, anchor, head, { grid = "tick", byPitch = false, allParts = false } = {}) {
  const [startTick, endTick] = limits.fit(anchor.tick, head.tick, grid);
  const [low, high] = byPitch && !allParts ? [Math.min(anchor.pitch, head.pitch), Math.max(anchor.pitch, head.pitch)] : [0, 127];
  const first = allParts ? 0 : anchor.part;
  const last = allParts ? limits.score.parts.length - 1 : head.part;
  const isOnePart = first === last;
  return limits.fitParts(first, last).map((partIndex) =>
    isOnePart ? { partIndex, startTick, endTick, low, high } : { partIndex, startTick, endTick, low: 0, high: 127 },
  );
}

/** How a selection changes by boxes: a plain drag replaces it. */
export function changedSelection(selection, boxes, how) {
  if (how === "add") return selection.add(...boxes);
  if (how === "subtract") return selection.subtract(...boxes);
  return how === "toggle" ? selection.toggle(...boxes) : selection.replacedBy(...boxes);
}

/** Shift adds, Alt subtracts. */
export function howOf(event) {
  if (event.altKey) return "subtract";
  return event.shiftKey ? "add" : "replace";
}

/** Ticks by which a group moves so that the note that was grabbed lands on the grid. */
export function snappedShift(score, origin, ticks, grid) {
  return snapNear(score, Math.max(0, origin + ticks), grid) - origin;
}

/** How two fingers zoom and scroll: factors along each axis, and where their middle went. */
export function pinch(before, now) {
  const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const spread = ([a, b], axis) => Math.abs(a[axis] - b[axis]);
  const from = middle(before);
  const to = middle(now);
  const isAcross = spread(before, "x") >= spread(before, "y");
  const axis = isAcross ? "x" : "y";
  const factor = Math.max(24, spread(now, axis)) / Math.max(24, spread(before, axis));
  return { timeFactor: isAcross ? factor : 1, rowFactor: isAcross ? 1 : factor, at: to, dx: to.x - from.x, dy: to.y - from.y };
}
