import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Selection } from "../src/selection.js";
import { scoreOf } from "./scores.js";

// tests/ui/test_compact.py holds the same file against hub.Region.
const fixture = JSON.parse(readFileSync(new URL("./selections.json", import.meta.url), "utf8"));
const score = scoreOf(fixture.notes);

const STEPS = {
  add: (selection, box) => selection.add(box),
  subtract: (selection, box) => selection.subtract(box),
  toggle: (selection, box) => selection.toggle(box),
  toggleKept: (selection, notes) => selection.toggleKept(notes),
  hide: (selection, part) => selection.withHidden(part, true),
  change: (selection, change) => selection.with({ change }),
  snap: (selection, unit) => selection.snap(unit, score),
};

for (const { name, steps, json, inside } of fixture.cases) {
  const selection = steps.reduce((made, [step, value]) => STEPS[step](made, value), Selection.empty(score));

  test(`${name}: the region's JSON`, () => assert.deepEqual(selection.toJSON(), json));

  test(`${name}: the same notes are inside as in hub.Region`, () => {
    const found = [...Array(score.notes.count).keys()].filter((index) => selection.includes(score.note(index)));
    assert.deepEqual(found, inside);
  });

  test(`${name}: there and back`, () => {
    assert.ok(Selection.fromJSON(json, score).equals(selection));
  });
}

test("regions in measures and quarters are read", () => {
  const json = { boxes: [{ start: 1, end: 6, part: "P2" }, { start: 0.5, end: 1, unit: "quarters", part: "P1" }] };
  assert.deepEqual(
    Selection.fromJSON(json, score).boxes.map((box) => [box.partIndex, box.startTick, box.endTick]),
    [[0, 240, 480], [1, 1920, 6 * 1920]],
  );
});

test("a region of every part hides and marks every part; unknown parts are left out", () => {
  const json = { boxes: [{ start: 0, end: 1, part: null }, { start: 0, end: 1, part: "P9" }], hide: [{ start: 0, end: 1, part: null }] };
  const selection = Selection.fromJSON(json, score);
  assert.deepEqual(selection.partIndexes, [0, 1]);
  assert.deepEqual([...selection.hidden], [0, 1]);
});

test("keeping is toggled, for all notes of a group at once", () => {
  const notes = [score.note(0), score.note(1)];
  const one = Selection.empty(score).toggleKept([notes[0]]);
  const both = one.toggleKept(notes);
  assert.deepEqual(notes.map((note) => both.keeps(note)), [true, true]);
  assert.equal(both.toggleKept(notes).kept.length, 0);
});
