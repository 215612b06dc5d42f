/** The built-in sink: messages to the synthesiser on the audio thread (synth_worklet.js). */

const BANK = "sounds/sonivox.sf3";
const WORKLET = "synth-worklet.js";

export class Synthesiser {
  #node;
  #answers = new Map(); // number of a question → what to do with its answer
  #asked = 0;
  #batch = [];

  /** Raises an Error whose message can be shown. */
  static async make(context, baseUrl) {
    if (!context.audioWorklet) {
      throw new Error("Browsers play the score only on a page opened through https or on this computer's own address.");
    }
    const bank = read(assetUrl(BANK, baseUrl));
    await context.audioWorklet.addModule(assetUrl(WORKLET, baseUrl));
    const synthesiser = new Synthesiser(context);
    await synthesiser.setBank(await bank);
    return synthesiser;
  }

  constructor(context) {
    this.context = context;
    this.#node = new AudioWorkletNode(context, "scorehub-synthesiser", {
      numberOfInputs: 0, outputChannelCount: [2],
    });
    this.#node.port.onmessage = ({ data }) => this.#answer(data);
    this.#node.connect(context.destination);
  }

  get output() {
    return this.#node;
  }

  setParts(parts) {
    this.#send({ type: "parts", parts: parts.map(({ isDrums, program }) => ({ isDrums, program: program ?? 0 })) });
  }

  programChange(channel, program) {
    this.#send({ type: "program", channel, program });
  }

  setAudible(channel, isAudible) {
    this.#send({ type: "audible", channel, isAudible });
  }

  noteOn(channel, pitch, velocity, whenSeconds) {
    this.#batch.push({ second: whenSeconds, channel, pitch, velocity });
  }

  noteOff(channel, pitch, whenSeconds) {
    this.#batch.push({ second: whenSeconds, channel, pitch, velocity: 0 });
  }

  flush() {
    if (!this.#batch.length) return;
    this.#send({ type: "notes", notes: this.#batch });
    this.#batch = [];
  }

  allOff() {
    this.#batch = [];
    this.#send({ type: "allOff" });
  }

  /** @param {ArrayBuffer} bytes of an .sf2, .sf3 or .dls file; they move to the audio thread */
  async setBank(bytes) {
    const { problem } = await this.#ask({ type: "bank", bytes }, [bytes]);
    if (problem) throw new Error(`These sounds cannot be read: it takes an .sf2, .sf3 or .dls file (${problem}).`);
  }

  /** What the audio thread has seen: {voices, waiting, notesOn, notesOff, worstLateMs, errors}. */
  report() {
    return this.#ask({ type: "report" });
  }

  close() {
    this.#send({ type: "close" });
    this.#node.disconnect();
  }

  #send(message, moved = []) {
    this.#node.port.postMessage(message, moved);
  }

  #ask(message, moved) {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#send({ ...message, id }, moved);
    });
  }

  #answer({ id, ...answer }) {
    this.#answers.get(id)?.(answer);
    this.#answers.delete(id);
  }
}

/** A file beside `baseUrl`, with its query or this script's own: that has the version. */
export function assetUrl(name, baseUrl) {
  const base = new URL(baseUrl, globalThis.location?.href);
  const url = new URL(name, base);
  url.search = base.search || new URL(import.meta.url).search;
  return url.href;
}

async function read(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`The sounds did not arrive (${reply.status}). Reload the page to try again.`);
  return reply.arrayBuffer();
}
