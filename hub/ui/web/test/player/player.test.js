import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_AHEAD_MS, METRONOME, Player } from "../../src/player/player.js";
import { FakeClock, FakeContext, FakeSink, TPQ, quarters, scoreOf } from "./fixtures.js";

const BAR = 4 * TPQ;
const LEAD_IN = 0.06;
const LOOK_AHEAD = LOOK_AHEAD_MS / 1000;

async function playing({ score = scoreOf(quarters(16)), from = 0, loop = null, setUp = () => {} } = {}) {
  const context = new FakeContext();
  const clock = new FakeClock(context);
  const sink = new FakeSink();
  const player = new Player({ context, ticker: clock.ticker, makeSynthesiser: async () => sink, baseUrl: "http://localhost/" });
  player.setScore(score);
  if (loop) player.setLoop(...loop);
  setUp(player, context);
  await player.play(from);
  return { player, clock, sink, context };
}

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test("no note is given later than its time, however unevenly the timer ticks", async () => {
  const { player, clock, sink, context } = await playing({ loop: [0, BAR] });
  for (let round = 0; round < 40; round++) {
    clock.run(0.12, 0.12); // the page was busy
    clock.run(0.28);
  }
  assert.equal(player.stats.lateEvents, 0);
  near(player.stats.worstGapMs, 120);
  sink.of("on").forEach(({ second }, i) => near(second, LEAD_IN + i * 0.5));
  assert.ok(sink.of("on").length >= 32 && context.currentTime > 15.9);
});

test("a stall longer than the look-ahead is told", async () => {
  const { player, clock } = await playing();
  clock.run(0.2);
  clock.run(1.5, 1.5);
  assert.ok(player.stats.worstGapMs > player.stats.lookAheadMs && player.stats.lateEvents > 0);
});

test("a new score neither stops nor restarts anything", async () => {
  const { player, clock, sink } = await playing({ loop: [0, 2 * BAR] });
  const states = [];
  player.addEventListener("state", ({ detail }) => states.push(detail.isPlaying));
  clock.run(1.3);
  player.setScore(scoreOf(quarters(8, 36)));
  clock.run(2.2);
  assert.deepEqual(sink.of("allOff"), []);
  assert.deepEqual(states, []);
  sink.of("on").forEach(({ second }, i) => near(second, LEAD_IN + i * 0.5));
  const first = sink.of("on").findIndex(({ pitch }) => pitch < 60);
  assert.ok(sink.of("on")[first].second <= 1.3 + LOOK_AHEAD + 0.5, "later than the next note");
});

test("pause, play on, seek", async () => {
  const { player, clock, sink } = await playing();
  clock.run(1.06);
  near(player.positionTick(), 2 * TPQ);
  player.pause();
  assert.equal(sink.calls.at(-1).type, "allOff");
  clock.run(5);
  near(player.positionTick(), 2 * TPQ);
  await player.play();
  const given = sink.of("on").length;
  assert.equal(sink.of("on").at(-1).pitch, 62);
  player.seek(3 * BAR);
  assert.equal(sink.of("on").length, given + 1);
  assert.equal(sink.of("on").at(-1).pitch, 60);
  clock.run(20);
  assert.equal(player.isPlaying, false);
  assert.equal(player.positionTick(), 4 * BAR);
});

test("the position is what is heard, not what is played", async () => {
  const { player, clock } = await playing({ setUp: (_, context) => (context.outputLatency = 0.25) });
  clock.run(1.06);
  near(player.positionTick(), 1.5 * TPQ);
});

test("loops are told when they are heard", async () => {
  const { player, clock } = await playing({ loop: [0, BAR] });
  const rounds = [];
  player.addEventListener("loop", ({ detail }) => rounds.push(detail.round));
  clock.run(2);
  assert.deepEqual(rounds, []);
  clock.run(4.2);
  assert.deepEqual(rounds, [1, 2, 3]);
});

test("mute and solo reach the sink at once, and new sinks", async () => {
  const { player, sink } = await playing();
  const last = () => sink.of("audible").slice(-2).map(({ isAudible }) => isAudible);
  player.setMuted(0, true);
  assert.deepEqual(last(), [false, true]);
  player.setSolo(0, true);
  assert.deepEqual(last(), [true, false]);
  const late = new FakeSink();
  player.addSink(late);
  assert.deepEqual(late.of("audible").map(({ isAudible }) => isAudible), [true, false]);
});

test("the metronome has a channel of its own", async () => {
  const { player, clock, sink } = await playing({ score: scoreOf([]), setUp: (player) => player.setMetronome(true) });
  clock.run(1.9);
  assert.deepEqual(sink.of("on").map(({ part }) => part), Array(5).fill(METRONOME));
  assert.equal(sink.of("on").length, sink.of("off").length);
  assert.equal(player.stats.notesScheduled, 0);
});

test("what the browser holds back begins from its start after a gesture", async () => {
  const { player, clock, context, sink } = await playing({
    setUp: (_, context) => {
      context.state = "suspended";
      context.resume = async () => undefined;
    },
  });
  assert.equal(player.isBlocked, true);
  clock.call(); // time stands still
  assert.equal(sink.of("on").length, 1);
  const states = [];
  player.addEventListener("state", ({ detail }) => states.push(detail.isBlocked));
  context.state = "running";
  context.dispatchEvent(new Event("statechange"));
  assert.deepEqual(states, [false]);
  clock.run(1);
  assert.equal(player.stats.lateEvents, 0);
});

test("sounds that did not load can be asked for again", async () => {
  let tries = 0;
  const context = new FakeContext();
  const makeSynthesiser = async () => {
    if (!tries++) throw new Error("no network");
    return new FakeSink();
  };
  const player = new Player({ context, makeSynthesiser, baseUrl: "http://localhost/" });
  await assert.rejects(player.ready(), /no network/);
  await player.ready();
});
