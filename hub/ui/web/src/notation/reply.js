/** What a page's loader answered → what the view needs to know of it. Pure. */

const PART = /<part\s[^>]*>/g;
const MEASURE = /<measure(?=\s)[^>]*?\sid="m\d+\.p(\d+)"/;
const STAVES = /<staves>\s*(\d+)\s*<\/staves>/;
const NOTE = /\sid="n(\d+)["'.]/g;

/**
 * @param {string|{musicxml: string, parts: number[], staves: number[],
 *     notes: {row: number[], part: number[], onset: number[], pitch: number[]}}} answer
 * @param {import("../score.js").Score} score  the revision that was asked for
 * @param {boolean} hidesMeter  the measure before has the same
 * @returns {{musicxml: string, parts: number[], staves: number[],
 *     noteOfRow: Map<number, {part: number, onset: number, pitch: number}>}}
 */
export function readReply(answer, score, hidesMeter) {
  const text = typeof answer === "string" ? answer : answer.musicxml;
  const musicxml = hidesMeter ? withoutFirstMeter(text) : text;
  if (typeof answer === "string") {
    return { musicxml, ...stavesOf(text), noteOfRow: notesByRow(text, score) };
  }
  const { row, part, onset, pitch } = answer.notes;
  const noteOfRow = new Map(row.map((each, i) => [each, { part: part[i], onset: onset[i], pitch: pitch[i] }]));
  return { musicxml, parts: answer.parts, staves: answer.staves, noteOfRow };
}

/** Parts and their number of staves, from the top. */
function stavesOf(text) {
  const begins = [...text.matchAll(PART)].map((match) => match.index);
  const parts = [];
  const staves = [];
  begins.forEach((begin, place) => {
    const body = text.slice(begin, begins[place + 1]);
    parts.push(Number(MEASURE.exec(body)?.[1] ?? place));
    staves.push(Number(STAVES.exec(body)?.[1] ?? 1));
  });
  return { parts, staves };
}

function notesByRow(text, score) {
  const found = new Map();
  for (const [, digits] of text.matchAll(NOTE)) {
    const row = Number(digits);
    if (row < score.notes.count) found.set(row, score.note(row));
  }
  return found;
}

/** In the first measure of each part. */
function withoutFirstMeter(text) {
  const head = (measure) => measure.replace(/<time(?=[\s>])(?![^>]*print-object)/g, '<time print-object="no"');
  return text.replace(/<part\s[^>]*>\s*<measure[\s\S]*?<\/measure\s*>/g, head);
}
