import assert from "node:assert/strict";
import test from "node:test";

import { changedMeasures, findNote, pageOf, pagesOf, Strip } from "../../src/notation/paging.js";
import { scoreOf } from "./score_of.js";

test("pages hold fewer measures the more parts there are, and all of them once", () => {
  assert.deepEqual(pagesOf(20, 1), [{ first: 0, count: 16 }, { first: 16, count: 4 }]);
  assert.equal(pagesOf(2000, 4)[0].count, 8);
  assert.equal(pagesOf(100, 60)[0].count, 2);
  assert.deepEqual(pagesOf(0, 3), []);
  const pages = pagesOf(37, 4);
  assert.equal(pages.reduce((sum, { count }) => sum + count, 0), 37);
  for (let measure = 0; measure < 37; measure++) {
    const { first, count } = pages[pageOf(pages, measure)];
    assert.ok(first <= measure && measure < first + count);
  }
});

test("a strip finds what is visible and moves what is behind a page that grows", () => {
  const strip = new Strip([100, 100, 100]);
  assert.deepEqual(strip.range(0, 100), [0, 1]);
  assert.deepEqual(strip.range(99, 201), [0, 3]);
  assert.deepEqual(strip.range(-50, 9999), [0, 3]);
  assert.equal(strip.resize(1, 160), 60);
  assert.equal(strip.total, 360);
  assert.equal(strip.at(255), 1);
  assert.deepEqual(new Strip([]).range(0, 10), [0, 0]);
});

const ROWS = [[0, 24, 60, 0], [24, 24, 62, 0], [96, 24, 64, 1], [384, 96, 65, 0]];

test("an edit changes the measures that the notes sound in, before and after", () => {
  const before = scoreOf(ROWS);
  assert.deepEqual([...changedMeasures(before, before)], []);
  assert.deepEqual([...changedMeasures(before, scoreOf([...ROWS, [200, 100, 70, 1]]))], [2, 3]);
  assert.deepEqual([...changedMeasures(before, scoreOf(ROWS.slice(0, 3)))], [4]);
  assert.deepEqual([...changedMeasures(before, scoreOf([[0, 12, 60, 0], ...ROWS.slice(1)]))], [0]);
  const moved = scoreOf([ROWS[0], ROWS[1], [98, 24, 64, 1], ROWS[3]]);
  assert.deepEqual([...changedMeasures(before, moved)], [1]);
});

test("another frame changes everything", () => {
  assert.equal(changedMeasures(scoreOf(ROWS), scoreOf(ROWS, { measures: 7 })), null);
  assert.equal(changedMeasures(scoreOf(ROWS), scoreOf(ROWS, { parts: 3 })), null);
});

test("a note is found again by what it is", () => {
  const after = scoreOf([[0, 24, 50, 1], ...ROWS]);
  assert.equal(findNote(after, { part: 0, onset: 24, pitch: 62 }), 2);
  assert.equal(findNote(after, { part: 1, onset: 24, pitch: 62 }), -1);
});
