import { Score } from "../../src/score.js";

/** A score of 4/4 measures of 96 ticks; rows are [onset, duration, pitch, part]. */
export function scoreOf(rows, { measures = 6, parts = 2 } = {}) {
  const indexes = [...Array(measures).keys()];
  const empty = Score.from({
    revision: 1, title: "", ticksPerQuarter: 24, endTick: measures * 96, tempos: [[0, 120]], keys: [],
    parts: [...Array(parts).keys()].map((i) => ({ id: `P${i + 1}`, name: `Part ${i + 1}`, program: 0, isDrums: false, channel: null })),
    measures: { number: indexes.map((i) => String(i + 1)), start: indexes.map((i) => i * 96), length: indexes.map(() => 96), meter: indexes.map(() => "4/4") },
    notes: { count: 0, onset: [], duration: [], pitch: [], velocity: [], voice: [], part: [] },
  });
  return empty.withNotes(rows.map(([onset, duration, pitch, part]) => ({ onset, duration, pitch, part, velocity: 80, voice: 1 })));
}
