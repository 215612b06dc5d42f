import assert from "node:assert/strict";
import { test } from "node:test";
import { SHORTEST_LOOP_SECONDS, Timeline } from "../../src/player/timeline.js";
import { TPQ, quarters, scoreOf } from "./fixtures.js";

const BAR = 4 * TPQ;
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

function timelineOf(score, { loop = null, from = 0, second = 0 } = {}) {
  const timeline = new Timeline(score);
  timeline.setLoop(loop);
  timeline.start(from, second);
  return timeline;
}

/** In uneven steps, as a busy page asks. */
function unroll(timeline, until) {
  const events = [];
  for (let second = 0.013; second < until; second += 0.0371) events.push(...timeline.until(second));
  return [...events, ...timeline.until(until)];
}

const ons = (events) => events.filter(({ type }) => type === "on");

function assertBalanced(events) {
  const held = new Map();
  for (const { type, part, pitch } of [...events].filter(({ type }) => type !== "click")) {
    const key = `${part}/${pitch}`;
    held.set(key, (held.get(key) ?? 0) + (type === "on" ? 1 : -1));
    assert.ok(held.get(key) === 0 || held.get(key) === 1, `${key} began twice or ended twice`);
  }
  assert.deepEqual([...held.values()].filter((count) => count !== 0), []);
}

test("notes come once, on time, whatever the steps", () => {
  const events = unroll(timelineOf(scoreOf(quarters(16)), { second: 10 }), 30);
  assert.equal(ons(events).length, 16);
  ons(events).forEach(({ second }, index) => near(second, 10 + index * 0.5));
  assertBalanced(events);
});

test("tempos and the tempo factor", () => {
  const timeline = timelineOf(scoreOf(quarters(16), { tempos: [[0, 120], [BAR, 60]] }));
  timeline.setTempoFactor(2);
  const seconds = ons(unroll(timeline, 30)).map(({ second }) => second);
  seconds.forEach((second, i) => near(second, i < 4 ? i * 0.25 : 1 + (i - 4) * 0.5));
});

test("a new tempo factor goes on from where it is", () => {
  const timeline = timelineOf(scoreOf(quarters(16)));
  const before = timeline.until(1);
  timeline.setTempoFactor(0.5);
  const seconds = ons([...before, ...unroll(timeline, 30)]).map(({ second }) => second);
  seconds.forEach((second, i) => near(second, i < 2 ? i * 0.5 : 1 + (i - 2)));
});

test("a loop goes round without a gap, a double or a hanging note", () => {
  const notes = [...quarters(8), [BAR - TPQ, 4 * BAR, 40], [BAR, 1, 70]];
  const events = unroll(timelineOf(scoreOf(notes), { loop: { startTick: 0, endTick: BAR } }), 20.0);
  const low = events.filter(({ pitch }) => pitch === 40);
  assert.deepEqual(low.slice(0, 4).map(({ type, second }) => [type, Math.round(second * 1e6) / 1e6]),
    [["on", 1.5], ["off", 2], ["on", 3.5], ["off", 4]]);
  const melody = ons(events).filter(({ pitch }) => pitch >= 60);
  assert.equal(melody.length, 40);
  melody.forEach(({ second, pitch }, i) => { near(second, i * 0.5); assert.equal(pitch, 60 + (i % 4)); });
  assertBalanced(events);
});

test("a loop set while playing elsewhere is entered at once, and left when it is taken away", () => {
  const timeline = timelineOf(scoreOf(quarters(16)));
  const events = timeline.until(0.7);
  timeline.setLoop({ startTick: 2 * BAR, endTick: 3 * BAR });
  events.push(...timeline.until(1.0));
  assert.equal(ons(events).at(-1).pitch, 68);
  timeline.setLoop(null);
  assert.equal(ons([...events, ...unroll(timeline, 60)]).length, 2 + 8);
  assert.ok(timeline.isAtEnd);
});

test("a loop too short to hear is none", () => {
  const timeline = timelineOf(scoreOf(quarters(16)), { loop: { startTick: 0, endTick: 1 } });
  assert.ok(1 / TPQ / 2 < SHORTEST_LOOP_SECONDS);
  assert.equal(ons(timeline.until(100)).length, 16);
});

test("a new score is heard from the next unwritten note on; what has begun ends where it would have", () => {
  const timeline = timelineOf(scoreOf([[0, 3 * TPQ, 60], ...quarters(8, 72)]), { loop: { startTick: 0, endTick: 2 * BAR } });
  const events = timeline.until(0.6); // two quarters are written, the long note sounds
  timeline.setScore(scoreOf(quarters(8, 48)));
  events.push(...unroll(timeline, 4));
  const after = ons(events).filter(({ second }) => second > 0.6 && second < 4 - 1e-9);
  assert.deepEqual(after.map(({ pitch }) => pitch), [50, 51, 52, 53, 54, 55]);
  near(events.find(({ type, pitch }) => type === "off" && pitch === 60).second, 1.5);
  assertBalanced(events);
});

test("a new score in other ticks goes on at the same place", () => {
  const timeline = timelineOf(scoreOf(quarters(16)));
  const events = timeline.until(1.2);
  const fine = quarters(16).map(([onset, duration, pitch]) => [onset * 2, duration * 2, pitch]);
  timeline.setScore(scoreOf(fine, { ticksPerQuarter: 2 * TPQ }));
  events.push(...unroll(timeline, 30));
  ons(events).forEach(({ second, pitch }, i) => { near(second, i * 0.5); assert.equal(pitch, 60 + (i % 12)); });
  assertBalanced(events);
});

test("a score that became shorter ends at once", () => {
  const timeline = timelineOf(scoreOf(quarters(16)));
  const events = timeline.until(6);
  timeline.setScore(scoreOf(quarters(4), { measures: 1 }));
  events.push(...timeline.until(7));
  assert.ok(timeline.isAtEnd);
  assertBalanced(events);
});

test("unisons of two voices sound once; a repeated note is ended before it begins again", () => {
  const unison = unroll(timelineOf(scoreOf([[0, TPQ, 60], [0, 2 * TPQ, 60]])), 9);
  assert.deepEqual(unison.map(({ type, second }) => [type, second]), [["on", 0], ["off", 1]]);
  const overlap = unroll(timelineOf(scoreOf([[0, 2 * TPQ, 60], [TPQ, TPQ, 60]])), 9);
  assert.deepEqual(overlap.map(({ type, second }) => [type, second]), [["on", 0], ["off", 0.5], ["on", 0.5], ["off", 1]]);
});

test("the position follows the clock through loops, tempos and scores", () => {
  const timeline = timelineOf(scoreOf(quarters(16)), { loop: { startTick: 0, endTick: BAR }, second: 1 });
  timeline.until(8);
  near(timeline.tickAt(0.5), 0);
  near(timeline.tickAt(1.25), TPQ / 2);
  near(timeline.tickAt(3.25), TPQ / 2);
  assert.equal(timeline.roundAt(3.25), 1);
  assert.equal(timeline.roundAt(2.9), 0);
});

test("from the middle, and notes of no length", () => {
  const events = unroll(timelineOf(scoreOf([...quarters(8), [BAR + 1, 0, 90]]), { from: BAR }), 20);
  assert.deepEqual(ons(events).map(({ pitch }) => pitch), [64, 90, 65, 66, 67]);
  assertBalanced(events);
});

test("the metronome clicks on beats, louder on the first, in dotted quarters in 6/8", () => {
  const clicksOf = (meter) => {
    const timeline = timelineOf(scoreOf([], { meter, measures: 2 }));
    timeline.hasMetronome = true;
    return unroll(timeline, 30).map(({ second, isDownbeat }) => [second, isDownbeat]);
  };
  assert.deepEqual(clicksOf("3/4"), [[0, true], [0.5, false], [1, false], [1.5, true], [2, false], [2.5, false]]);
  assert.deepEqual(clicksOf("6/8"), [[0, true], [0.75, false], [1.5, true], [2.25, false]]);
});
