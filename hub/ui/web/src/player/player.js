/**
 * Plays a score, whatever happens to it meanwhile: a look-ahead scheduler over a Timeline.
 *
 * Every few milliseconds (a worker's timer, so a hidden page plays on) what happens within the next
 * LOOK_AHEAD_MS is handed to the sinks with exact times. What has been handed over stays; a new
 * score, loop or tempo is heard from the next note that has not been.
 *
 * A sink plays: the synthesiser, a MIDI port. Channels are indexes of parts; METRONOME is one more.
 *
 * @typedef {object} Sink
 * @property {(channel: number, pitch: number, velocity: number, whenSeconds: number) => void} noteOn
 * @property {(channel: number, pitch: number, whenSeconds: number) => void} noteOff
 * @property {(channel: number, program: number) => void} [programChange]
 * @property {() => void} allOff  end what sounds and forget what was still to come, at once
 * @property {(parts: object[]) => void} [setParts]
 * @property {(channel: number, isAudible: boolean) => void} [setAudible]  at once
 * @property {() => void} [flush]  after every round of the scheduler
 * @property {() => void} [close]
 */
import { Score } from "../score.js";
import { tickEvery } from "./clock.js";
import { Synthesiser } from "./synthesiser.js";
import { Timeline } from "./timeline.js";

export const LOOK_AHEAD_MS = 400;
export const METRONOME = -1;
const TICK_MS = 25;
const LEAD_IN_SECONDS = 0.06; // from play to the first note: time for the messages to arrive
const CLICK_SECONDS = 0.05;
const CLICKS = { true: { pitch: 76, velocity: 112 }, false: { pitch: 77, velocity: 84 } }; // wood blocks
const GESTURES = ["pointerdown", "keydown", "touchend"];

export class Player extends EventTarget {
  #timeline = new Timeline(Score.empty());
  #sinks = new Set();
  #muted = new Set();
  #soloed = new Set();
  #restingTick = 0;
  #stopTicking = null;
  #isPlaying = false;
  #lastPump = null;
  #heardRound = 0;
  #ready = null;

  /**
   * @param {object} options
   * @param {string|URL} [options.baseUrl]  where synth-worklet.js and sounds/ lie; its query goes along
   * @param {BaseAudioContext} [options.context]  default: made by `ready`
   * @param {(context) => Promise<Sink>} [options.makeSynthesiser]  default: the built-in one
   * @param {(everyMs: number, call: () => void) => () => void} [options.ticker]
   */
  constructor({ baseUrl, context = null, makeSynthesiser = null, ticker = tickEvery } = {}) {
    super();
    this.baseUrl = baseUrl ?? import.meta.url;
    this.context = context;
    this.makeSynthesiser = makeSynthesiser ?? ((made) => Synthesiser.make(made, this.baseUrl));
    this.ticker = ticker;
    this.synthesiser = null;
    /** worstGapMs: the longest the scheduler was away while playing; late when above lookAheadMs. */
    this.stats = { worstGapMs: 0, lookAheadMs: LOOK_AHEAD_MS, notesScheduled: 0, lateEvents: 0 };
  }

  /** Sound is there. Rejects with an Error whose message can be shown. */
  ready() {
    this.#ready ??= this.#prepare().catch((error) => {
      this.#ready = null; // may be tried again
      throw error;
    });
    return this.#ready;
  }

  async #prepare() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    this.synthesiser = await this.makeSynthesiser(this.context);
    this.addSink(this.synthesiser);
  }

  get isPlaying() {
    return this.#isPlaying;
  }

  /** Is the browser keeping sound back until somebody clicks or presses a key? */
  get isBlocked() {
    return this.context?.state === "suspended";
  }

  get score() {
    return this.#timeline.score;
  }

  get loop() {
    return this.#timeline.loop;
  }

  /** Heard from the next note on that has not been scheduled. */
  setScore(score) {
    const scale = score.ticksPerQuarter / this.score.ticksPerQuarter;
    this.#restingTick *= scale;
    this.#timeline.setScore(score);
    for (const sink of this.#sinks) this.#introduce(sink);
  }

  /** @param {number} [fromTick] default: where it stopped */
  async play(fromTick = this.positionTick()) {
    await this.ready();
    this.#restingTick = this.#startTick(fromTick);
    if (this.#isPlaying) this.#quieten();
    this.#begin();
    this.#unlock();
  }

  pause() {
    if (!this.#isPlaying) return;
    this.#stop(this.positionTick());
  }

  seek(tick) {
    this.#restingTick = Math.max(0, tick);
    if (!this.#isPlaying) {
      this.#tell("state");
      return;
    }
    this.#quieten();
    this.#begin();
  }

  /** Play [startTick, endTick) again and again; null: to the end. */
  setLoop(startTick, endTick) {
    const isLoop = startTick !== null && startTick !== undefined && endTick > startTick;
    this.#timeline.setLoop(isLoop ? { startTick, endTick } : null);
    this.#tell("state");
  }

  /** 1: as written; 0.5: half as fast. */
  setTempoFactor(factor) {
    if (!(factor > 0)) throw new RangeError(`A tempo factor is above 0, and ${factor} is not.`);
    this.#timeline.setTempoFactor(factor);
  }

  setMetronome(isOn) {
    this.#timeline.hasMetronome = isOn;
  }

  setMuted(partIndex, isMuted) {
    toggle(this.#muted, partIndex, isMuted);
    this.#applyAudible();
  }

  setSolo(partIndex, isSolo) {
    toggle(this.#soloed, partIndex, isSolo);
    this.#applyAudible();
  }

  isAudible(partIndex) {
    return this.#soloed.size ? this.#soloed.has(partIndex) : !this.#muted.has(partIndex);
  }

  /** What is heard now; not rounded. */
  positionTick() {
    return this.#isPlaying ? this.#timeline.tickAt(this.#heardSecond()) : this.#restingTick;
  }

  addSink(sink) {
    this.#sinks.add(sink);
    this.#introduce(sink);
  }

  removeSink(sink) {
    if (this.#sinks.delete(sink)) sink.allOff();
  }

  /** Play with these sounds instead: the bytes of an .sf2, .sf3 or .dls file. */
  async setSoundBank(bytes) {
    await this.ready();
    await this.synthesiser.setBank(bytes);
  }

  async close() {
    if (this.#isPlaying) this.#stop(this.#restingTick);
    for (const sink of this.#sinks) sink.close?.();
    this.#sinks.clear();
    await this.context?.close();
  }

  #startTick(tick) {
    const { loop, score } = this;
    if (loop && (tick < loop.startTick || tick >= loop.endTick)) return loop.startTick;
    return tick >= score.endTick && !loop ? 0 : Math.max(0, tick);
  }

  #begin() {
    this.#timeline.start(Math.round(this.#restingTick), this.context.currentTime + LEAD_IN_SECONDS);
    this.#heardRound = 0;
    this.#lastPump = null;
    this.#isPlaying = true;
    this.#stopTicking ??= this.ticker(TICK_MS, () => this.#pump());
    this.#pump();
    this.#tell("state");
  }

  #stop(tick) {
    this.#stopTicking?.();
    this.#stopTicking = null;
    this.#isPlaying = false;
    this.#restingTick = tick;
    this.#quieten();
    this.#tell("state");
  }

  #quieten() {
    for (const sink of this.#sinks) sink.allOff();
  }

  /** One round of the scheduler. */
  #pump() {
    if (!this.#isPlaying) return;
    const now = this.context.currentTime;
    if (this.#lastPump !== null) {
      this.stats.worstGapMs = Math.max(this.stats.worstGapMs, (now - this.#lastPump) * 1000);
    }
    this.#lastPump = now;
    for (const event of this.#timeline.until(now + LOOK_AHEAD_MS / 1000)) this.#hand(event, now);
    for (const sink of this.#sinks) sink.flush?.();
    this.#watch();
  }

  #hand(event, now) {
    const { type, part, pitch, velocity, second } = event;
    if (second < now) this.stats.lateEvents += 1;
    if (type === "on") this.stats.notesScheduled += 1;
    for (const sink of this.#sinks) {
      if (type === "on") sink.noteOn(part, pitch, velocity, second);
      else if (type === "off") sink.noteOff(part, pitch, second);
      else click(sink, event);
    }
  }

  /** Tell of what has been reached: the loop's beginning, the end. */
  #watch() {
    const heard = this.#heardSecond();
    const round = this.#timeline.roundAt(heard);
    if (round > this.#heardRound) {
      this.#heardRound = round;
      this.#tell("loop", { round });
    }
    const { isAtEnd, cursorSecond, cursorTick } = this.#timeline;
    if (isAtEnd && heard >= cursorSecond) this.#stop(cursorTick);
  }

  /** What leaves the loudspeaker now was played this long ago. */
  #heardSecond() {
    return this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
  }

  /** Browsers hold sound back until the first gesture. Time stands still meanwhile, so nothing is lost. */
  #unlock() {
    const { context } = this;
    if (context.state !== "suspended") return;
    const resume = () => context.resume().catch(() => undefined);
    const onGesture = () => resume();
    for (const type of GESTURES) globalThis.addEventListener?.(type, onGesture, { capture: true });
    context.addEventListener("statechange", () => {
      for (const type of GESTURES) globalThis.removeEventListener?.(type, onGesture, { capture: true });
      this.#tell("state");
    }, { once: true });
    resume();
  }

  #introduce(sink) {
    sink.setParts?.(this.score.parts);
    this.score.parts.forEach(({ program }, index) => sink.programChange?.(index, program ?? 0));
    this.#tellAudible(sink);
  }

  #applyAudible() {
    for (const sink of this.#sinks) this.#tellAudible(sink);
  }

  #tellAudible(sink) {
    this.score.parts.forEach((_, index) => sink.setAudible?.(index, this.isAudible(index)));
  }

  #tell(type, detail = {}) {
    const { isPlaying, isBlocked, loop } = this;
    this.dispatchEvent(new CustomEvent(type, { detail: { isPlaying, isBlocked, loop, ...detail } }));
  }
}

function click(sink, { second, isDownbeat }) {
  const { pitch, velocity } = CLICKS[isDownbeat];
  sink.noteOn(METRONOME, pitch, velocity, second);
  sink.noteOff(METRONOME, pitch, second + CLICK_SECONDS);
}

function toggle(set, value, isIn) {
  if (isIn) set.add(value);
  else set.delete(value);
}
