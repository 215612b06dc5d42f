/** Tiny scores, a clock that is moved by hand, and a sink that remembers. */
import { Score } from "../../src/score.js";

export const TPQ = 480;

/** @param notes rows [onset, duration, pitch, part, velocity], in ticks */
export function scoreOf(notes, { measures = 4, tempos = [[0, 120]], parts = 2, meter = "4/4", ticksPerQuarter = TPQ } = {}) {
  const [beats, beatType] = meter.split("/").map(Number);
  const length = (beats * 4 * ticksPerQuarter) / beatType;
  const rows = [...notes].sort((a, b) => a[0] - b[0]);
  const column = (place, otherwise) => rows.map((row) => row[place] ?? otherwise);
  const numbers = Array.from({ length: measures }, (_, index) => index);
  return Score.from({
    revision: 1, title: "", ticksPerQuarter, endTick: measures * length, tempos, keys: [[0, 0]],
    parts: Array.from({ length: parts }, (_, index) => ({ id: `P${index + 1}`, name: "", program: index, isDrums: false, channel: index })),
    measures: {
      number: numbers.map((index) => index + 1), start: numbers.map((index) => index * length),
      length: numbers.map(() => length), meter: numbers.map(() => meter),
    },
    notes: {
      count: rows.length, onset: column(0), duration: column(1), pitch: column(2),
      part: column(3, 0), velocity: column(4, 80), voice: column(5, 1),
    },
  });
}

/** Quarters, one after the other, from `pitch` up. */
export const quarters = (count, pitch = 60) => Array.from({ length: count }, (_, i) => [i * TPQ, TPQ, pitch + (i % 12)]);

export class FakeSink {
  constructor() {
    this.calls = [];
  }

  noteOn(part, pitch, velocity, second) {
    this.calls.push({ type: "on", part, pitch, velocity, second });
  }

  noteOff(part, pitch, second) {
    this.calls.push({ type: "off", part, pitch, second });
  }

  allOff() {
    this.calls.push({ type: "allOff" });
  }

  setAudible(part, isAudible) {
    this.calls.push({ type: "audible", part, isAudible });
  }

  of(type) {
    return this.calls.filter((call) => call.type === type);
  }
}

export class FakeContext extends EventTarget {
  currentTime = 0;
  state = "running";
  outputLatency = 0;

  async resume() {
    this.state = "running";
    this.dispatchEvent(new Event("statechange"));
  }

  async close() {}
}

/** A timer that the test moves: `run(seconds)` goes on in steps of the timer's. */
export class FakeClock {
  constructor(context) {
    this.context = context;
    this.call = null;
  }

  ticker = (everyMs, call) => {
    this.everySeconds = everyMs / 1000;
    this.call = call;
    return () => (this.call = null);
  };

  run(seconds, step = this.everySeconds) {
    const end = this.context.currentTime + seconds;
    while (this.context.currentTime < end - 1e-9) {
      this.context.currentTime = Math.min(end, this.context.currentTime + step);
      this.call?.();
    }
  }
}
