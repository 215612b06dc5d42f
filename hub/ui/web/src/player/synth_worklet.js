/**
 * The synthesiser on the audio thread: spessasynth_core, told when each note begins and ends. Blocks
 * of audio are split at the notes, so these are exact to the sample.
 */
import { SoundBankLoader, SpessaSynthProcessor } from "spessasynth_core";
import { insertByTime } from "./queue.js";

const DRUMS = 9; // the channel that has them from the start; the metronome's
const KEPT_ONSETS = 4096;

/** Parts have the synthesiser's channels but the metronome's. */
const channelOf = (part) => (part < 0 ? DRUMS : part < DRUMS ? part : part + 1);

class ScorehubSynthesiser extends AudioWorkletProcessor {
  constructor() {
    super();
    this.synth = new SpessaSynthProcessor(sampleRate, { eventsEnabled: false, initialTime: currentTime });
    this.queue = []; // ascending by second
    this.sounding = new Map(); // channel and pitch → how many
    this.seen = { notesOn: 0, notesOff: 0, worstLateMs: 0, errors: 0, onsets: [] };
    this.isOpen = true;
    const ready = this.synth.processorInitialized;
    this.port.onmessage = ({ data }) => ready.then(() => this.receive(data));
  }

  receive(message) {
    const { id, type } = message;
    let answer = {};
    try {
      answer = this[type](message) ?? {};
    } catch (error) {
      answer = { problem: error?.message || String(error) };
    }
    if (id) this.port.postMessage({ id, ...answer });
  }

  bank({ bytes }) {
    const bank = SoundBankLoader.fromArrayBuffer(bytes);
    const name = `bank-${currentFrame}`;
    const manager = this.synth.soundBankManager;
    const before = [...manager.priorityOrder];
    manager.addSoundBank(bank, name, 0);
    for (const old of before.slice(0, -1)) manager.deleteSoundBank(old); // the first stays: it has everything
    manager.priorityOrder = [name, ...before.slice(-1)];
    if (this.given) this.parts(this.given);
  }

  parts(given) {
    this.given = given;
    given.parts.forEach(({ isDrums, program }, part) => {
      const channel = this.channel(part);
      if (channel.drumChannel !== isDrums) channel.setDrums(isDrums);
      channel.programChange(program);
    });
  }

  program({ channel, program }) {
    this.channel(channel).programChange(program);
  }

  audible({ channel, isAudible }) {
    this.channel(channel).setSystemParameter("isMuted", !isAudible);
  }

  notes({ notes }) {
    for (const note of notes) insertByTime(this.queue, note);
  }

  allOff() {
    this.queue.length = 0;
    this.sounding.clear();
    this.synth.stopAllChannels(false);
  }

  close() {
    this.isOpen = false;
  }

  report() {
    const sounding = [...this.sounding.values()].filter((count) => count > 0).length;
    const answer = { ...this.seen, voices: this.synth.voiceCount, waiting: this.queue.length, sounding };
    this.seen.onsets = [];
    return answer;
  }

  channel(part) {
    const number = channelOf(part);
    while (this.synth.midiChannels.length <= number) this.synth.createMIDIChannel();
    return this.synth.midiChannels[number];
  }

  process(_inputs, [[left, right]]) {
    const samples = left.length;
    let done = 0;
    while (done < samples) {
      this.playUntil(currentFrame + done);
      const next = this.queue.length ? Math.round(this.queue[0].second * sampleRate) - currentFrame : samples;
      const end = Math.min(samples, Math.max(done + 1, next));
      this.synth.process(left, right, done, end - done);
      done = end;
    }
    return this.isOpen;
  }

  /** Play what is due at this frame. */
  playUntil(frame) {
    while (this.queue.length && Math.round(this.queue[0].second * sampleRate) <= frame) {
      this.play(this.queue.shift(), frame);
    }
  }

  play({ channel: part, pitch, velocity, second }, frame) {
    const channel = this.channel(part);
    const key = part * 128 + pitch;
    if (velocity > 0) {
      channel.noteOn(pitch, velocity);
      this.note(second, frame);
      this.sounding.set(key, (this.sounding.get(key) ?? 0) + 1);
    } else {
      channel.noteOff(pitch);
      this.seen.notesOff += 1;
      this.sounding.set(key, Math.max(0, (this.sounding.get(key) ?? 0) - 1));
    }
  }

  /** Keep what `report` tells: when the note was to begin and when it did. */
  note(second, frame) {
    const late = frame / sampleRate - second;
    this.seen.notesOn += 1;
    this.seen.worstLateMs = Math.max(this.seen.worstLateMs, late * 1000);
    if (this.seen.onsets.length < KEPT_ONSETS) this.seen.onsets.push([second, late]);
  }
}

registerProcessor("scorehub-synthesiser", ScorehubSynthesiser);
