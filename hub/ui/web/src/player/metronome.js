/**
 * Where the metronome clicks. Pure.
 *
 * @typedef {{tick: number, isDownbeat: boolean}} Click
 */

/** Ticks between two clicks: the meter's lower number, or three of them in 6/8, 9/8, 12/8 and the like. */
export function clickTicks(score, measureIndex) {
  const [beats] = score.meterOf(measureIndex);
  const isCompound = beats > 3 && beats % 3 === 0 && score.meterOf(measureIndex)[1] >= 8;
  return score.beatTicks(measureIndex) * (isCompound ? 3 : 1);
}

/** @returns {Click[]} the clicks in [startTick, endTick); past the end, measures go on like the last */
export function clicksBetween(score, startTick, endTick) {
  const clicks = [];
  let measure = score.measureIndexBeyond(startTick);
  for (let start = score.measureStart(measure); start < endTick; start = score.measureStart(++measure)) {
    const end = score.measureEnd(measure);
    if (end <= start) break; // a broken score must not hang the page
    const step = clickTicks(score, measure);
    for (let tick = start; tick < Math.min(end, endTick); tick += step) {
      if (tick >= startTick) clicks.push({ tick, isDownbeat: tick === start });
    }
  }
  return clicks;
}
