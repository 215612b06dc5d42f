/**
 * The Web Worker that draws: verovio in WebAssembly, one page of MusicXML at a time.
 *
 * in   {id, musicxml, options: {width: pixels or null for one long system, zoom}}
 * out  {ready} | {id, drawing, milliseconds} | {id, refused} | {id, trapped}
 *
 * After `trapped` (hostile or broken music can divide by zero inside verovio) this worker's memory
 * is not to be trusted; whoever started it ends it and starts another.
 */

import createVerovioModule from "verovio/wasm";
import { VerovioToolkit } from "verovio/esm";

import { readDrawing } from "./drawing.js";
import { verovioOptions, withoutNames } from "./music.js";

const started = performance.now();
const toolkit = createVerovioModule().then((module) => {
  const made = new VerovioToolkit(module);
  self.postMessage({ ready: true, milliseconds: performance.now() - started });
  return made;
});
toolkit.catch((error) => self.postMessage({ failed: String(error) }));

self.onmessage = async ({ data }) => {
  const verovio = await toolkit;
  const began = performance.now();
  try {
    const drawing = draw(verovio, data);
    self.postMessage({ id: data.id, drawing, milliseconds: performance.now() - began });
  } catch (error) {
    const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError
      || typeof error === "number";
    self.postMessage({ id: data.id, [isTrap ? "trapped" : "refused"]: String(error) });
  }
};

function draw(verovio, { id, musicxml, options }) {
  verovio.setOptions(verovioOptions(options));
  if (!verovio.loadData(withoutNames(musicxml)) || !verovio.getPageCount()) {
    throw new Error("The notation program cannot read these measures.");
  }
  return readDrawing(verovio.renderToSVG(1), `s${id}-`);
}
