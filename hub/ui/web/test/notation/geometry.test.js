import assert from "node:assert/strict";
import test from "node:test";

import { PageMap } from "../../src/notation/geometry.js";
import { moved } from "../../src/notation/gestures.js";
import { verovioOptions, withoutNames } from "../../src/notation/music.js";
import { readReply } from "../../src/notation/reply.js";
import { scoreOf } from "./score_of.js";

const ROWS = [[0, 24, 60, 0], [48, 24, 62, 0], [96, 24, 64, 1]];
const score = scoreOf(ROWS);
// Two systems of two measures; part 0 on one staff, part 1 on two.
const system = (first, top) => ({
  left: 10, right: 210, staves: [0, 60, 100].map((y) => ({ top: top + y, bottom: top + y + 28 })),
  measures: [{ index: first, left: 10, right: 110, start: 30 }, { index: first + 1, left: 110, right: 210, start: 110 }],
});
const drawing = {
  systems: [system(0, 40), system(2, 240)],
  heads: [{ row: 0, x: 32, measure: 0 }, { row: 1, x: 80, measure: 0 }, { row: 2, x: 115, measure: 1 }, { row: 2, x: 20, measure: 2, isTied: true }],
};
const notes = new Map([0, 1, 2].map((row) => [row, score.note(row)]));
const map = new PageMap(drawing, score, { parts: [0, 1], staves: [1, 2] }, notes);

test("a point leads to the nearest measure, part and tick", () => {
  assert.deepEqual(map.hit(82, 50), { measure: 0, part: 0, tick: 51 });
  assert.deepEqual(map.hit(150, 150), { measure: 1, part: 1, tick: 131 });
  assert.equal(map.hit(-500, -500).measure, 0);
  assert.deepEqual([map.hit(999, 999).measure, map.hit(999, 999).part], [3, 1]);
  assert.equal(map.hit(999, 999).tick, 383);
});

test("the cursor stands at note heads and between them", () => {
  assert.deepEqual(map.at(0), { system: 0, x: 32 });
  assert.deepEqual(map.at(48), { system: 0, x: 80 });
  assert.deepEqual(map.at(24), { system: 0, x: 56 });
  assert.deepEqual(map.at(96), { system: 0, x: 115 });
  assert.equal(map.at(192).system, 1);
  assert.equal(map.at(9999), null);
});

test("a stretch of a part is one rectangle a system, around all its staves", () => {
  const found = map.rectangles(1, 96, 288);
  assert.deepEqual(found.map(({ left, width }) => [left, width]), [[110, 100], [10, 100]]);
  assert.ok(found[0].top < 100 && found[0].top + found[0].height > 168);
  assert.deepEqual(map.rectangles(7, 0, 96), []);
  const [half] = map.rectangles(0, 48, 96);
  assert.ok(half.left > 60 && half.left < 80 && half.left + half.width === 110);
});

test("keys move by measure and part, and stop at the ends", () => {
  const size = { measures: 4, parts: [0, 1] };
  assert.deepEqual(moved("ArrowRight", { measure: 1, part: 0 }, size), { measure: 2, part: 0 });
  assert.deepEqual(moved("ArrowDown", { measure: 1, part: 1 }, size), { measure: 1, part: 1 });
  assert.deepEqual(moved("End", { measure: 1, part: 1 }, size), { measure: 3, part: 1 });
  assert.equal(moved("x", { measure: 1, part: 1 }, size), null);
});

test("part names are left to the page", () => {
  const text = '<score-part id="P1"><part-name print-object="yes">A &lt; B</part-name><part-name-display><display-text>x</display-text></part-name-display><part-abbreviation>A.</part-abbreviation></score-part>';
  assert.equal(withoutNames(text), '<score-part id="P1"><part-name/></score-part>');
});

test("one long system has no width; wrapped ones have that of the page", () => {
  assert.equal(verovioOptions({ width: null, zoom: 2 }).breaks, "none");
  assert.equal(verovioOptions({ width: 400, zoom: 2 }).pageWidth, 500);
});

const TEXT = '<part id="a"><measure id="m4.p0" number="5"><attributes><time><beats>4</beats></time></attributes><note id="n1"/></measure><measure id="m5.p0"><attributes><time/></attributes></measure></part><part id="b"><measure id="m4.p2"><attributes><staves>2</staves></attributes><note id="n0.1"/></measure></part>';

test("a page of bare MusicXML says its parts, staves and notes", () => {
  const page = readReply(TEXT, score, false);
  assert.deepEqual([page.parts, page.staves, page.musicxml], [[0, 2], [1, 2], TEXT]);
  assert.equal(page.noteOfRow.get(1).pitch, 62);
  assert.equal(page.noteOfRow.get(0).onset, 0);
});

test("a meter that goes on is not printed again", () => {
  const { musicxml } = readReply(TEXT, score, true);
  assert.equal(musicxml.match(/<time print-object="no"/g).length, 1);
  assert.match(musicxml, /m5\.p0"><attributes><time\/>/);
});

test("a page from the server brings its notes", () => {
  const page = readReply({ musicxml: TEXT, parts: [0], staves: [1], notes: { row: [9], part: [1], onset: [5], pitch: [70] } }, score, false);
  assert.deepEqual(page.noteOfRow.get(9), { part: 1, onset: 5, pitch: 70 });
});
