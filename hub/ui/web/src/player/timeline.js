/**
 * What sounds when: a score unrolled along the clock, in the order of time. Pure; the clock is the
 * caller's. Seconds are the clock's (AudioContext.currentTime), ticks the score's.
 *
 * The timeline is written once, from left to right: `until` writes on to a time and gives back the
 * events up to it. Whatever changes (score, loop, tempo) changes what has not been written yet; a
 * note that has been begun ends where it was going to end, or where the loop does.
 *
 * @typedef {{type: "on"|"off"|"click", second: number, part?: number, pitch?: number,
 *     velocity?: number, isDownbeat?: boolean}} Event
 */
import { lowerBound } from "../score.js";
import { clicksBetween } from "./metronome.js";

/** Loops shorter than this are none: they would be a buzz. */
export const SHORTEST_LOOP_SECONDS = 0.05;
const KEPT_STRETCHES = 64;
const NEVER = Number.MAX_SAFE_INTEGER;

export class Timeline {
  constructor(score) {
    this.score = score;
    this.loop = null; // {startTick, endTick}
    this.tempoFactor = 1;
    this.hasMetronome = false;
    this.start(0, 0);
  }

  /** Begin anew: `tick` sounds at `second`. Nothing sounds; whoever calls ends what did. */
  start(tick, second) {
    this.sounding = new Map(); // part and pitch → {part, pitch, onset, end}
    this.cursorTick = tick;
    this.cursorSecond = second;
    this.stretches = [];
    this.rounds = 0;
    this.isAtEnd = false;
    this.#beginStretch();
  }

  /** From the cursor on it is this score. */
  setScore(score) {
    const scale = score.ticksPerQuarter / this.score.ticksPerQuarter;
    if (scale !== 1) this.#rescale(scale);
    this.score = score;
    this.isAtEnd = false;
    this.#beginStretch();
  }

  setLoop(loop) {
    this.loop = loop;
    this.isAtEnd = false;
  }

  setTempoFactor(factor) {
    this.tempoFactor = factor;
    this.#beginStretch();
  }

  /** @returns {Event[]} what happens before `second` and has not been given back yet */
  until(second) {
    const events = [];
    while (this.cursorSecond < second && !this.isAtEnd && this.#step(second, events));
    return events;
  }

  /** What was being played at this second; not rounded. */
  tickAt(second) {
    const stretch = this.stretches.findLast((one) => one.second <= second) ?? this.stretches[0];
    const passed = Math.max(0, second - stretch.second) * stretch.tempoFactor;
    const tick = stretch.score.tickAt(stretch.score.secondsAt(stretch.tick) + passed);
    return Math.min(tick, stretch.endTick);
  }

  /** How often the loop had begun again by this second. */
  roundAt(second) {
    return (this.stretches.findLast((one) => one.second <= second) ?? this.stretches[0]).round;
  }

  /** Write on, at most to the next turn of the loop. @returns {boolean} is there more to write? */
  #step(second, events) {
    const loop = this.#usableLoop();
    if (loop && (this.cursorTick < loop.startTick || this.cursorTick >= loop.endTick)) {
      this.#turn(loop, events);
      return true;
    }
    const lastTick = loop ? loop.endTick : this.#lastTick();
    const reached = Math.min(lastTick, Math.max(this.cursorTick, this.#tickBy(second)));
    this.#write(this.cursorTick, reached, events);
    this.cursorSecond = Math.max(this.cursorSecond, this.#secondOf(reached));
    this.cursorTick = reached;
    if (reached < lastTick) return false;
    if (loop) this.#turn(loop, events);
    else this.#finish(events);
    return true;
  }

  #usableLoop() {
    const { loop, score } = this;
    if (!loop) return null;
    const seconds = (score.secondsAt(loop.endTick) - score.secondsAt(loop.startTick)) / this.tempoFactor;
    return seconds >= SHORTEST_LOOP_SECONDS ? loop : null;
  }

  #lastTick() {
    const ends = [...this.sounding.values()].map(({ end }) => end);
    return Math.max(this.score.endTick, this.cursorTick, ...ends);
  }

  /** The first whole tick that sounds at `second` or later. */
  #tickBy(second) {
    const { tick, second: since, tempoFactor, score } = this.stretches.at(-1);
    const passed = (second - since) * tempoFactor;
    return Math.ceil(score.tickAt(score.secondsAt(tick) + passed) - 1e-6);
  }

  #secondOf(tick) {
    const { tick: from, second, tempoFactor, score } = this.stretches.at(-1);
    return second + (score.secondsAt(tick) - score.secondsAt(from)) / tempoFactor;
  }

  /** Ends before beginnings, on each tick; clicks with the beginnings. */
  #write(startTick, endTick, events) {
    const { onset, duration, part, pitch, velocity, count } = this.score.notes;
    for (let index = lowerBound(onset, startTick); index < count && onset[index] < endTick; index++) {
      this.#endUntil(onset[index], events);
      const end = onset[index] + Math.max(1, duration[index]);
      this.#begin({ part: part[index], pitch: pitch[index], onset: onset[index], end }, velocity[index], events);
    }
    this.#endUntil(endTick, events);
    if (this.hasMetronome) this.#click(startTick, endTick, events);
  }

  #begin(note, velocity, events) {
    const key = note.part * 128 + note.pitch;
    const before = this.sounding.get(key);
    if (before?.onset === note.onset) { // two voices in unison sound once
      before.end = Math.max(before.end, note.end);
      return;
    }
    const second = this.#secondOf(note.onset);
    if (before) events.push({ type: "off", second, part: note.part, pitch: note.pitch });
    this.sounding.set(key, note);
    events.push({ type: "on", second, part: note.part, pitch: note.pitch, velocity });
  }

  #endUntil(tick, events) {
    const due = [...this.sounding].filter(([, note]) => note.end <= tick).sort(([, a], [, b]) => a.end - b.end);
    for (const [key, { part, pitch, end }] of due) {
      this.sounding.delete(key);
      events.push({ type: "off", second: Math.max(this.cursorSecond, this.#secondOf(end)), part, pitch });
    }
  }

  #click(startTick, endTick, events) {
    for (const { tick, isDownbeat } of clicksBetween(this.score, startTick, endTick)) {
      events.push({ type: "click", second: this.#secondOf(tick), isDownbeat });
    }
  }

  #turn(loop, events) {
    this.#endAll(events);
    this.cursorTick = loop.startTick;
    this.rounds += 1;
    this.#beginStretch();
  }

  #finish(events) {
    this.#endAll(events);
    this.isAtEnd = true;
  }

  #endAll(events) {
    const second = this.cursorSecond;
    for (const { part, pitch } of this.sounding.values()) events.push({ type: "off", second, part, pitch });
    this.sounding.clear();
  }

  /** From the cursor on, ticks and seconds go together in a new way. */
  #beginStretch() {
    const { cursorTick: tick, cursorSecond: second, tempoFactor, score, rounds: round } = this;
    const before = this.stretches.at(-1);
    if (before) before.endTick = Math.min(before.endTick, this.#endOf(before, second));
    if (before?.second === second) this.stretches.pop();
    this.stretches.push({ tick, second, tempoFactor, score, round, endTick: NEVER });
    this.stretches.splice(0, this.stretches.length - KEPT_STRETCHES);
  }

  #endOf({ score, tick, second: since, tempoFactor }, second) {
    return score.tickAt(score.secondsAt(tick) + (second - since) * tempoFactor);
  }

  #rescale(scale) {
    this.cursorTick = Math.round(this.cursorTick * scale);
    for (const note of this.sounding.values()) {
      note.onset *= scale;
      note.end *= scale;
    }
    if (this.loop) {
      this.loop = { startTick: Math.round(this.loop.startTick * scale), endTick: Math.round(this.loop.endTick * scale) };
    }
  }
}
