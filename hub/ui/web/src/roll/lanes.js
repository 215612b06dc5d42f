/**
 * Which part is drawn where: one lane a part, stacked, or one lane for all; each lane has a header
 * and one row for each pitch of its range, the highest on top.
 *
 * @typedef {{partIndex: number|null, top: number, header: number, height: number, low: number, high: number, collapsed: boolean}} Lane
 *     top: content pixels; height: with the header; partIndex null: all parts
 */

const LEAST_PITCHES = 14;
const MARGIN_PITCHES = 2;
const GAP = 6;

/** For each part the [lowest, highest] pitch that its lane shows; never less than `before` showed. */
export function pitchRanges(score, before = []) {
  const ranges = score.parts.map(() => [128, -1]);
  const { count, part, pitch } = score.notes;
  for (let i = 0; i < count; i++) {
    const range = ranges[part[i]];
    if (pitch[i] < range[0]) range[0] = pitch[i];
    if (pitch[i] > range[1]) range[1] = pitch[i];
  }
  return ranges.map((range, index) => joined(roomy(range), before[index]));
}

function roomy([low, high]) {
  if (high < low) return [60 - LEAST_PITCHES / 2, 60 + LEAST_PITCHES / 2];
  const missing = Math.max(0, LEAST_PITCHES - (high - low + 1 + 2 * MARGIN_PITCHES));
  const below = MARGIN_PITCHES + Math.ceil(missing / 2);
  return [Math.max(0, low - below), Math.min(127, high + MARGIN_PITCHES + Math.floor(missing / 2))];
}

function joined([low, high], before) {
  return before ? [Math.min(low, before[0]), Math.max(high, before[1])] : [low, high];
}

/** @returns {Lane[]} */
export function layoutLanes(ranges, { merged = false, collapsed = new Set(), rowHeight = 8, header = 28 } = {}) {
  if (!ranges.length) return [];
  if (merged) {
    const low = Math.min(...ranges.map((range) => range[0]));
    const high = Math.max(...ranges.map((range) => range[1]));
    return [{ partIndex: null, top: 0, header, low, high, collapsed: false, height: header + (high - low + 1) * rowHeight }];
  }
  let top = 0;
  return ranges.map(([low, high], partIndex) => {
    const isCollapsed = collapsed.has(partIndex);
    const height = header + (isCollapsed ? 0 : (high - low + 1) * rowHeight);
    const lane = { partIndex, top, header, low, high, collapsed: isCollapsed, height };
    top += height + (isCollapsed ? 2 : GAP);
    return lane;
  });
}

/** Pixels that all lanes take. */
export function lanesHeight(lanes) {
  const last = lanes[lanes.length - 1];
  return last ? last.top + last.height : 0;
}

/** The height of a row with which all lanes fit a height, within reason. */
export function fittingRowHeight(ranges, height, { merged = false, header = 28, least = 7, most = 16 } = {}) {
  const rows = merged
    ? Math.max(...ranges.map((range) => range[1])) - Math.min(...ranges.map((range) => range[0])) + 1
    : ranges.reduce((sum, [low, high]) => sum + high - low + 1, 0);
  const headers = merged ? header : ranges.length * (header + GAP);
  return Math.max(least, Math.min(most, Math.floor((height - headers) / Math.max(1, rows))));
}
