/**
 * Where things snap: measures, beats, ticks, and grids of a fraction of a quarter. Past the end of a
 * score its last measure goes on, as in hub/region.py.
 */

/** Ticks of one step of a unit at a place; for measures, that measure's own length. */
export function unitTicks(score, tick, unit) {
  if (typeof unit === "number") return Math.max(1, unit);
  if (unit === "tick") return 1;
  const measure = score.measureIndexBeyond(tick);
  if (unit === "beat") return score.beatTicks(measure);
  return Math.max(1, score.measureStart(measure + 1) - score.measureStart(measure));
}

/**
 * The last grid line at or before the tick.
 * @param {import("./score.js").Score} score
 * @param {"measure"|"beat"|"tick"|number} unit a number: ticks of a step, counted from the bar line
 */
export function snapDown(score, tick, unit) {
  const place = Math.max(0, Math.floor(tick));
  if (unit === "tick" || unit === 1) return place;
  const start = score.measureStart(score.measureIndexBeyond(place));
  if (unit === "measure") return start;
  const step = unitTicks(score, place, unit);
  return start + Math.floor((place - start) / step) * step;
}

/** The first grid line at or after the tick; a bar line ends every grid. */
export function snapUp(score, tick, unit) {
  const place = Math.max(0, Math.ceil(tick));
  const below = snapDown(score, place, unit);
  return below === place ? place : nextLine(score, below, unit);
}

/** The nearer of the two grid lines around a tick. */
export function snapNear(score, tick, unit) {
  const below = snapDown(score, tick, unit);
  const above = nextLine(score, below, unit);
  return tick - below <= above - tick ? below : above;
}

/** The grid line after one. */
export function nextLine(score, line, unit) {
  if (unit === "tick") return line + 1;
  const barLine = score.measureStart(score.measureIndexBeyond(line) + 1);
  return Math.min(barLine, line + unitTicks(score, line, unit));
}

/** The grid line before one; 0 stays 0. */
export function previousLine(score, line, unit) {
  return line <= 0 ? 0 : snapDown(score, line - 1, unit);
}
