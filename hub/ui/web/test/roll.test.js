import assert from "node:assert/strict";
import test from "node:test";

import { Selection } from "../src/selection.js";
import { nextLine, previousLine, snapDown, snapNear, snapUp } from "../src/grid.js";
import { boxesOfDrag, changedSelection, howOf, pinch, snappedShift } from "../src/roll/drags.js";
import { louder, moved, pasted, quantised, replacing, stretched } from "../src/roll/edits.js";
import { hitTest, notesIn } from "../src/roll/hit.js";
import { fittingRowHeight, lanesHeight, layoutLanes, pitchRanges } from "../src/roll/lanes.js";
import { Limits } from "../src/roll/limits.js";
import { KEYS, RULER, View } from "../src/roll/view.js";
import { noteWords, pitchName, selectionWords, spanWords } from "../src/roll/words.js";
import { MEASURE, QUARTER, scoreOf } from "./scores.js";

const TUNE = scoreOf([[0, 480, 60], [0, 1920, 48, 80, 1], [480, 480, 64], [960, 60, 62], [1920, 480, 67]]);

function viewOf(score, options = {}) {
  const ranges = pitchRanges(score);
  const view = new View({ width: KEYS + 800, height: 500, endTick: score.endTick, ticksPerQuarter: QUARTER, rowHeight: 8 });
  view.lanes = layoutLanes(ranges, { rowHeight: 8, ...options });
  view.pixelsPerTick = 0.1;
  return view;
}

const note = (changes = {}) => ({ part: 0, onset: 480, duration: 240, pitch: 60, velocity: 80, voice: 1, ...changes });

// Grids.

test("lines of measures, beats and fractions, on and past the end", () => {
  assert.deepEqual([0, 1919, 1920].map((tick) => snapDown(TUNE, tick, "measure")), [0, 0, MEASURE]);
  assert.deepEqual([0, 1, 1920].map((tick) => snapUp(TUNE, tick, "measure")), [0, MEASURE, MEASURE]);
  assert.equal(snapNear(TUNE, 250, "beat"), 480);
  assert.equal(snapNear(TUNE, 100, 120), 120);
  assert.equal(nextLine(TUNE, 1800, 160), 1920, "a bar line ends every grid");
  assert.equal(previousLine(TUNE, 1920, "beat"), 1440);
  assert.equal(snapDown(TUNE, 9 * MEASURE + 5, "measure"), 9 * MEASURE);
});

test("a beat is the meter's own", () => {
  const jig = scoreOf([], { meters: ["6/8"] });
  assert.equal(snapDown(jig, 300, "beat"), 240);
});

// Geometry.

test("lanes are stacked, hold every pitch, and do not shrink while one edits", () => {
  const ranges = pitchRanges(TUNE);
  assert.ok(ranges[0][0] <= 60 && ranges[0][1] >= 67 && ranges[1][0] <= 48);
  const higher = pitchRanges(TUNE.withNotes([note({ pitch: 90 })]), ranges);
  assert.ok(higher[0][0] <= 60 && higher[0][1] >= 90);
  const lanes = layoutLanes(ranges, { rowHeight: 8 });
  assert.ok(lanes[1].top >= lanes[0].height);
  assert.ok(lanesHeight(layoutLanes(ranges, { rowHeight: 8, collapsed: new Set([0]) })) < lanesHeight(lanes));
  assert.equal(layoutLanes(ranges, { merged: true }).length, 1);
});

test("rows are as high as fits", () => {
  assert.equal(fittingRowHeight([[60, 79]], 28 + 6 + 200), 10);
  assert.equal(fittingRowHeight(Array(40).fill([30, 90]), 500), 7);
});

test("pixels and places, there and back", () => {
  const view = viewOf(TUNE);
  view.scrollTo(1000);
  for (const tick of [1000, 2345, 7000]) assert.ok(Math.abs(view.tick(view.x(tick)) - tick) < 1e-6);
  const [lane] = view.lanes;
  assert.equal(view.pitch(lane, view.y(lane, 62) + 3), 62);
});

test("zooming holds the place under the pointer, within bounds", () => {
  const view = viewOf(scoreOf([], { measures: 200 }));
  view.scrollTo(20_000);
  const before = view.tick(300);
  view.zoomTime(1.7, 300);
  assert.ok(Math.abs(view.tick(300) - before) < 1);
  for (let i = 0; i < 40; i++) view.zoomTime(0.5);
  assert.ok(Math.abs(view.visibleTicks - view.endTick) < 1, "never smaller than the whole score");
  assert.equal(view.scrollTick, 0);
});

test("revealing moves no further than needed", () => {
  const view = viewOf(scoreOf([], { measures: 100 }));
  view.reveal(1000, 1000);
  assert.equal(view.scrollTick, 0);
  view.reveal(20_000, 20_000);
  assert.ok(view.x(20_000) < view.width && view.x(20_000) > view.width - 60);
});

// Hits.

test("a point knows its lane, note and side", () => {
  const view = viewOf(TUNE);
  const [lane] = view.lanes;
  const y = view.y(lane, 64) + 4;
  const at = (tick) => hitTest(view, TUNE, view.x(tick), y);
  assert.deepEqual([at(500).note, at(500).side], [2, "left"]);
  assert.deepEqual([at(700).note, at(700).side], [2, "body"]);
  assert.deepEqual([at(950).note, at(950).side], [2, "right"]);
  assert.equal(at(1100).note, -1);
  assert.equal(hitTest(view, TUNE, 100, 5).area, "ruler");
  assert.equal(hitTest(view, TUNE, 5, y).area, "keys");
  assert.equal(hitTest(view, TUNE, 100, view.laneTop(lane) + 4).area, "header");
});

test("a finger reaches further, to the nearest note", () => {
  const view = viewOf(TUNE);
  const [lane] = view.lanes;
  const x = view.x(990);
  const y = view.y(lane, 62) + 15;
  assert.equal(hitTest(view, TUNE, x, y).note, -1);
  assert.equal(hitTest(view, TUNE, x, y, 9).note, 3);
});

test("a rubber band takes the notes of every lane it crosses", () => {
  const view = viewOf(TUNE);
  const all = { left: KEYS, right: view.x(1900), top: RULER, bottom: 500 };
  assert.deepEqual(notesIn(view, TUNE, all), [0, 1, 2, 3]);
  assert.deepEqual(notesIn(view, TUNE, { ...all, bottom: view.laneTop(view.lanes[1]) }), [0, 2, 3]);
});

// Marking.

const CARD = { parts: [1, 1], unit: "measure", least: 1, most: 2, drums: "no", meters: ["4/4"] };
const place = (tick, part = 0, pitch = 60) => ({ tick, part, pitch });

test("a drag snaps to what the card allows", () => {
  const limits = new Limits(CARD, TUNE);
  const span = (...places) => boxesOfDrag(limits, ...places).map((box) => [box.partIndex, box.startTick, box.endTick]);
  assert.deepEqual(span(place(100), place(300)), [[0, 0, MEASURE]]);
  assert.deepEqual(span(place(100), place(2000)), [[0, 0, 2 * MEASURE]]);
  assert.deepEqual(span(place(100), place(7000)), [[0, 0, 2 * MEASURE]], "no longer than the card allows");
  assert.deepEqual(span(place(7000), place(100)), [[0, 2 * MEASURE, 4 * MEASURE]], "counted from where it began");
  assert.deepEqual(span(place(100, 1), place(300, 0)), [[1, 0, MEASURE]], "one part at a time");
});

test("the shortest region is made long enough", () => {
  const limits = new Limits({ ...CARD, least: 2 }, TUNE);
  assert.deepEqual(limits.fit(100, 200), [0, 2 * MEASURE]);
  assert.deepEqual(limits.fit(4 * MEASURE - 1, 4 * MEASURE - 1), [2 * MEASURE, 4 * MEASURE]);
});

test("past the end only where the card goes on", () => {
  assert.deepEqual(new Limits(CARD, TUNE).fit(3.5 * MEASURE, 9 * MEASURE), [3 * MEASURE, 4 * MEASURE]);
  assert.deepEqual(new Limits({ ...CARD, beyond_end: true }, TUNE).fit(3.5 * MEASURE, 9 * MEASURE), [3 * MEASURE, 5 * MEASURE]);
});

test("a beat or tick region snaps to beats or to the page's grid", () => {
  assert.deepEqual(new Limits({ unit: "beat" }, TUNE).fit(500, 900), [480, 960]);
  assert.deepEqual(new Limits({ unit: "tick" }, TUNE).fit(500, 900, 120), [480, 960]);
  assert.deepEqual(new Limits({ unit: "tick", most: 100 }, TUNE).fit(0, 900, 1), [0, 100]);
});

test("pitches, all parts, and drums", () => {
  const band = scoreOf([], { parts: 3 });
  const limits = new Limits({ ...CARD, parts: [1, 3] }, band);
  const pitches = boxesOfDrag(limits, place(0, 0, 70), place(0, 0, 60), { byPitch: true });
  assert.deepEqual([pitches[0].low, pitches[0].high], [60, 70]);
  const all = boxesOfDrag(limits, place(0), place(0), { allParts: true });
  assert.deepEqual(all.map((box) => box.partIndex), [0, 1], "the drum part is not for this model");
});

test("what would be refused is said in words", () => {
  const limits = new Limits(CARD, scoreOf([], { parts: 3, meters: ["4/4", "3/4"] }));
  const marked = (...boxes) => limits.problem(Selection.empty(limits.score).add(...boxes));
  const box = (partIndex, from, to) => ({ partIndex, startTick: from * MEASURE, endTick: to * MEASURE, low: 0, high: 127 });
  assert.equal(marked(box(0, 2, 4)), "");
  assert.match(marked(box(0, 2, 3), box(1, 2, 3)), /at most 1 part/);
  assert.match(marked(box(2, 2, 3)), /does not write the part Drums/);
  assert.match(marked(box(0, 0, 1)), /^$/);
  assert.match(marked(box(0, 0, 2)), /measure 2.*4\/4/);
  assert.match(marked(box(0, 0, 1), box(0, 2, 4)), /at most 2 measures/);
});

test("Shift adds, Alt subtracts, a plain drag replaces", () => {
  const [one] = boxesOfDrag(new Limits(null, TUNE), place(0), place(1900), { grid: "measure" });
  const [two] = boxesOfDrag(new Limits(null, TUNE), place(2000), place(3000), { grid: "measure" });
  const selection = Selection.empty(TUNE).add(one);
  assert.deepEqual(changedSelection(selection, [two], howOf({ shiftKey: true })).span, [0, 2 * MEASURE]);
  assert.deepEqual(changedSelection(selection, [two], howOf({})).span, [MEASURE, 2 * MEASURE]);
  assert.ok(changedSelection(selection, [one], howOf({ altKey: true })).isEmpty);
});

test("two fingers zoom along the axis on which they lie, and scroll", () => {
  const made = pinch([{ x: 0, y: 0 }, { x: 100, y: 10 }], [{ x: -50, y: 20 }, { x: 150, y: 30 }]);
  assert.deepEqual(made, { timeFactor: 2, rowFactor: 1, at: { x: 50, y: 25 }, dx: 0, dy: 20 });
  assert.equal(pinch([{ x: 0, y: 0 }, { x: 5, y: 100 }], [{ x: 0, y: 0 }, { x: 5, y: 50 }]).rowFactor, 0.5);
});

// Editing.

test("a group moves as one and stays in range", () => {
  const group = [note(), note({ onset: 100, pitch: 126 })];
  assert.deepEqual(moved(group, -200, 5).map(({ onset, pitch }) => [onset, pitch]), [[380, 61], [0, 127]]);
});

test("ends are stretched, never through each other", () => {
  assert.deepEqual(stretched([note()], "right", 120, 120)[0].duration, 360);
  assert.deepEqual(stretched([note()], "right", -900, 120)[0].duration, 120);
  const [left] = stretched([note()], "left", -120, 120);
  assert.deepEqual([left.onset, left.duration], [360, 360]);
  assert.equal(stretched([note()], "left", 900, 120)[0].duration, 120);
});

test("velocity, quantise and paste", () => {
  assert.deepEqual(louder([note({ velocity: 120 }), note()], 20).map((one) => one.velocity), [127, 100]);
  assert.equal(quantised([note({ onset: 497 })], TUNE, 120)[0].onset, 480);
  const made = pasted([note(), note({ onset: 600 })], MEASURE, 1);
  assert.deepEqual(made.map(({ onset, part }) => [onset, part]), [[MEASURE, 1], [MEASURE + 120, 1]]);
});

test("a grabbed note lands on the grid", () => {
  assert.equal(snappedShift(TUNE, 490, 100, 120), 110);
});

test("an edit names only what changes", () => {
  const rows = [TUNE.note(0), { ...TUNE.note(2), pitch: 65 }];
  const { removed, added } = replacing(TUNE, [0, 2], rows);
  assert.deepEqual(removed, [2]);
  assert.deepEqual(added, [{ part: 0, onset: 480, duration: 480, pitch: 65, velocity: 80, voice: 1 }]);
  assert.equal(replacing(TUNE, [0], [TUNE.note(0)]), null);
  assert.deepEqual(replacing(TUNE, [1], []), { removed: [1], added: [] });
});

// Words.

test("places and selections are said as musicians say them", () => {
  assert.equal(pitchName(60), "C4");
  assert.equal(spanWords(TUNE, 0, 4 * MEASURE), "measures 1 to 4");
  assert.equal(spanWords(TUNE, 480, MEASURE), "measure 1, beat 2 to measure 2, beat 1");
  assert.equal(noteWords(TUNE, TUNE.note(2)), "E4, measure 1, beat 2, Violin");
  const box = { partIndex: null, startTick: MEASURE, endTick: 3 * MEASURE, low: 0, high: 127 };
  assert.equal(selectionWords(TUNE, Selection.empty(TUNE).add(box)), "Measures 2 to 3, all parts");
  const one = Selection.empty(TUNE).add({ ...box, partIndex: 1, low: 48, high: 60 }).toggleKept([TUNE.note(0)]);
  assert.equal(selectionWords(TUNE, one), "Measures 2 to 3, C3 to C4, Cello; 1 note kept");
});
