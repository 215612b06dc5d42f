/** Small scores for tests, and a long one for measuring. */
import { Score } from "../src/score.js";

export const QUARTER = 480;
export const MEASURE = 4 * QUARTER;

/** @param {Array<[number, number, number, number?, number?]>} notes [onset, duration, pitch, velocity, part] in order */
export function scoreOf(notes, { measures = 4, parts = 2, meters = [], tempos = [[0, 120]] } = {}) {
  const column = (position, missing) => notes.map((note) => note[position] ?? missing);
  return Score.from({
    revision: 1, title: "Tune", ticksPerQuarter: QUARTER, endTick: measures * MEASURE,
    parts: Array.from({ length: parts }, (_, i) => ({
      id: `P${i + 1}`, name: ["Violin", "Cello", "Drums"][i] ?? `Part ${i + 1}`, program: 40, isDrums: i === 2, channel: i,
    })),
    measures: {
      number: Array.from({ length: measures }, (_, i) => String(i + 1)),
      start: Array.from({ length: measures }, (_, i) => i * MEASURE),
      length: Array(measures).fill(MEASURE),
      meter: Array.from({ length: measures }, (_, i) => meters[i] ?? "4/4"),
    },
    tempos, keys: [],
    notes: {
      count: notes.length, onset: column(0), duration: column(1), pitch: column(2),
      velocity: column(3, 80), part: column(4, 0), voice: notes.map(() => 1),
    },
  });
}
