/**
 * Plays into a MIDI port of this computer through Web MIDI: a DAW, a synthesiser. A sink of the Player.
 *
 *     const out = await MidiOut.open("IAC Driver Bus 1", player.context);
 *     player.addSink(out);
 *
 * A message that a port has been given cannot be taken back. So messages wait here until shortly
 * before they are due, and what was given too early when somebody stops is ended afterwards.
 */
import { midiChannels, CHANNELS } from "./midi_channels.js";
import { METRONOME } from "./player.js";
import { insertByTime } from "./queue.js";

const GIVEN_AHEAD_MS = 150; // more than the page is ever busy at a time
const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;
const CONTROL = 0xb0;
const PROGRAM = 0xc0;
const ALL_SOUND_OFF = 120;
const ALL_NOTES_OFF = 123;

/** Names of the ports to play into. Raises an Error whose message can be shown. */
export async function midiPorts(requestAccess = browsersAccess()) {
  return outputsOf(await access(requestAccess)).map(({ name }) => name);
}

export class MidiOut {
  #queue = []; // {second, part, pitch, velocity}, ascending
  #held = new Map(); // channel and pitch → the parts that hold it down
  #channels = [];
  #silent = new Set();
  #latestGiven = 0;

  /**
   * @param {string} portName one of `midiPorts`
   * @param {AudioContext} context its clock is the player's
   */
  static async open(portName, context, requestAccess = browsersAccess()) {
    const ports = outputsOf(await access(requestAccess));
    const port = ports.find(({ name }) => name === portName);
    if (!port) throw new Error(`There is no MIDI port "${portName}" any more. Choose one of: ${list(ports)}.`);
    await port.open?.();
    return new MidiOut(port, { context });
  }

  /** @param {{send: (bytes: number[], timestamp?: number) => void}} port */
  constructor(port, { context, now = () => performance.now(), timestampOf = (second) => timestamp(context, second) } = {}) {
    this.port = port;
    this.now = now;
    this.timestampOf = timestampOf;
    this.endBeforeUnload = () => this.allOff();
    globalThis.addEventListener?.("pagehide", this.endBeforeUnload);
  }

  setParts(parts) {
    const channels = midiChannels(parts);
    const hasMoved = this.#channels.some((channel, part) => channels[part] !== channel);
    if (hasMoved) this.allOff(); // what sounds would not be ended on its channel
    this.#channels = channels;
  }

  programChange(part, program) {
    this.port.send([PROGRAM | this.#channel(part), program]);
  }

  setAudible(part, isAudible) {
    if (isAudible) this.#silent.delete(part);
    else if (!this.#silent.has(part)) {
      this.#silent.add(part);
      this.#endPart(part);
    }
  }

  noteOn(part, pitch, velocity, whenSeconds) {
    if (part !== METRONOME) insertByTime(this.#queue, { second: whenSeconds, part, pitch, velocity });
  }

  noteOff(part, pitch, whenSeconds) {
    if (part !== METRONOME) insertByTime(this.#queue, { second: whenSeconds, part, pitch, velocity: 0 });
  }

  /** Give the port what is due soon. */
  flush() {
    const until = this.now() + GIVEN_AHEAD_MS;
    while (this.#queue.length && this.timestampOf(this.#queue[0].second) <= until) this.#give(this.#queue.shift());
  }

  allOff() {
    this.#queue = [];
    this.port.clear?.();
    const after = Math.max(this.now(), this.#latestGiven);
    for (const [key, holders] of this.#held) if (holders.size) this.#end(key, after);
    this.#held.clear();
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (const control of [ALL_SOUND_OFF, ALL_NOTES_OFF]) this.port.send([CONTROL | channel, control, 0], after);
    }
  }

  close() {
    globalThis.removeEventListener?.("pagehide", this.endBeforeUnload);
    this.allOff();
  }

  #channel(part) {
    return this.#channels[part] ?? 0;
  }

  #give({ second, part, pitch, velocity }) {
    const channel = this.#channel(part);
    const at = Math.max(this.timestampOf(second), this.now());
    if (velocity > 0) this.#press(part, channel, pitch, velocity, at);
    else this.#release(part, channel, pitch, at);
  }

  #press(part, channel, pitch, velocity, at) {
    if (this.#silent.has(part)) return;
    const holders = this.#holders(channel, pitch);
    holders.add(part);
    this.#send([NOTE_ON | channel, pitch, velocity], at);
  }

  #release(part, channel, pitch, at) {
    const holders = this.#holders(channel, pitch);
    if (holders.delete(part) && !holders.size) this.#send([NOTE_OFF | channel, pitch, 0], at);
  }

  /** Parts that hold this note down: on a shared channel it sounds until the last lets go. */
  #holders(channel, pitch) {
    const key = channel * 128 + pitch;
    if (!this.#held.has(key)) this.#held.set(key, new Set());
    return this.#held.get(key);
  }

  #endPart(part) {
    const after = Math.max(this.now(), this.#latestGiven);
    for (const [key, holders] of this.#held) {
      if (holders.delete(part) && !holders.size) this.#end(key, after);
    }
  }

  #end(key, at) {
    this.#send([NOTE_OFF | (key >> 7), key & 127, 0], at);
  }

  #send(bytes, at) {
    this.#latestGiven = Math.max(this.#latestGiven, at);
    this.port.send(bytes, at);
  }
}

/** The moment at which what the context plays at `second` is heard, as performance.now() counts. */
function timestamp(context, second) {
  const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
  if (contextTime > 0) return performanceTime + (second - contextTime) * 1000;
  return performance.now() + (second - context.currentTime + (context.outputLatency || 0)) * 1000;
}

const browsersAccess = () => globalThis.navigator?.requestMIDIAccess?.bind(globalThis.navigator);

async function access(requestAccess) {
  if (!requestAccess) {
    throw new Error("This browser has no Web MIDI. Chrome, Edge and Firefox have it, on pages opened through https or on this computer's own address.");
  }
  try {
    return await requestAccess({ sysex: false });
  } catch {
    throw new Error("The browser was not allowed to use MIDI. Allow it in the page's settings, beside the address, and try again.");
  }
}

function outputsOf(midi) {
  const ports = [...midi.outputs.values()];
  if (!ports.length) {
    throw new Error("There is no MIDI port on this computer. Connect an instrument or add a virtual port (IAC on macOS, loopMIDI on Windows), and try again.");
  }
  return ports;
}

const list = (ports) => ports.map(({ name }) => name).join(", ");
