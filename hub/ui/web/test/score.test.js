import assert from "node:assert/strict";
import test from "node:test";

import { Score } from "../src/score.js";
import { MEASURE, QUARTER, scoreOf } from "./scores.js";

test("columns are decoded from little-endian base64", () => {
  const wire = (array) => Buffer.from(array.buffer).toString("base64");
  const score = Score.from({
    ...scoreOf([]).plain(),
    notes: {
      count: 2, onset: wire(new Int32Array([0, 70_000])), duration: wire(new Int32Array([480, 5])),
      pitch: wire(new Uint8Array([60, 127])), velocity: wire(new Uint8Array([80, 1])),
      voice: wire(new Uint8Array([1, 2])), part: wire(new Uint16Array([0, 256])),
    },
  });
  assert.deepEqual(score.note(1), { part: 256, onset: 70_000, duration: 5, pitch: 127, velocity: 1, voice: 2 });
});

test("a column that is too short is refused", () => {
  assert.throws(() => Score.from({ ...scoreOf([]).plain(), notes: { ...scoreOf([]).notes, count: 3 } }), /incomplete/);
});

test("notes that sound in a span are found, a drone from the start too", () => {
  const notes = [[0, 400 * QUARTER, 36]];
  for (let i = 1; i < 400; i++) notes.push([i * QUARTER, QUARTER, 60]);
  const score = scoreOf(notes, { measures: 100 });
  assert.deepEqual(score.notesBetween(300 * QUARTER, 302 * QUARTER), [0, 300, 301]);
  assert.deepEqual(score.notesBetween(300 * QUARTER - 1, 300 * QUARTER), [0, 299]);
  assert.deepEqual(score.notesBetween(500 * QUARTER, 501 * QUARTER), []);
});

test("finding agrees with looking at every note", () => {
  let seed = 1;
  const random = (most) => (seed = (seed * 48271) % 2147483647) % most;
  const rows = Array.from({ length: 3000 }, () => [random(100_000), 1 + random(random(10) ? 400 : 30_000), 60]);
  rows.sort((a, b) => a[0] - b[0]);
  const score = scoreOf(rows);
  for (let i = 0; i < 200; i++) {
    const start = random(110_000);
    const end = start + random(3000);
    const slow = rows.flatMap(([onset, duration], index) => (onset < end && onset + duration > start ? [index] : []));
    assert.deepEqual(score.notesBetween(start, end), slow);
  }
});

test("measures are found by tick, and go on past the end", () => {
  const score = scoreOf([]);
  assert.deepEqual([0, MEASURE - 1, MEASURE, 99 * MEASURE].map((tick) => score.measureAt(tick)), [0, 0, 1, 3]);
  assert.equal(score.measureIndexBeyond(5 * MEASURE + 3), 5);
  assert.equal(score.measureStart(6), 6 * MEASURE);
});

test("seconds follow the tempos, there and back", () => {
  const score = scoreOf([], { tempos: [[0, 120], [MEASURE, 60], [2 * MEASURE, 240]] });
  assert.equal(score.secondsAt(MEASURE), 2);
  assert.equal(score.secondsAt(2 * MEASURE), 6);
  assert.equal(score.secondsAt(3 * MEASURE), 7);
  for (const tick of [0, 100, 1920, 3000, 5000, 9000]) {
    assert.ok(Math.abs(score.tickAt(score.secondsAt(tick)) - tick) < 1e-6);
  }
});

test("an edit says where every note went", () => {
  const score = scoreOf([[0, 480, 60], [0, 480, 64], [480, 480, 62]]);
  const added = [{ part: 0, onset: 0, duration: 240, pitch: 62, velocity: 90 }];
  const { score: after, added: places, movedTo } = score.withEdit({ removed: [0], added });
  assert.deepEqual([...after.notes.pitch], [62, 64, 62]);
  assert.deepEqual(places, [0]);
  assert.deepEqual([...movedTo], [-1, 1, 2]);
  assert.deepEqual([...score.notes.pitch], [60, 64, 62], "the first score is as it was");
});

test("of equal notes, those that were there stay first, and added ones keep their order", () => {
  const score = scoreOf([[0, 480, 60, 1], [0, 480, 60, 2]]);
  const added = [3, 4].map((velocity) => ({ part: 0, onset: 0, duration: 480, pitch: 60, velocity }));
  const { score: after, added: places } = score.withEdit({ removed: [], added });
  assert.deepEqual([...after.notes.velocity], [1, 2, 3, 4]);
  assert.deepEqual(places, [2, 3]);
});
