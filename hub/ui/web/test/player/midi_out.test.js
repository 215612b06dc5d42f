import assert from "node:assert/strict";
import { test } from "node:test";
import { midiChannels } from "../../src/player/midi_channels.js";
import { MidiOut, midiPorts } from "../../src/player/midi_out.js";
import { Player } from "../../src/player/player.js";
import { FakeClock, FakeContext, FakeSink, TPQ, scoreOf } from "./fixtures.js";

class FakePort {
  constructor(name) {
    this.name = name;
    this.sent = [];
  }

  send(bytes, at = 0) {
    this.sent.push({ status: bytes[0] & 0xf0, channel: bytes[0] & 15, pitch: bytes[1], value: bytes[2], at });
  }

  notes() {
    return this.sent.filter(({ status }) => status === 0x90 || status === 0x80);
  }
}

const accessTo = (...ports) => async () => ({ outputs: new Map(ports.map((port) => [port.name, port])) });
const NOTES = [[0, TPQ, 60, 0, 31], [0, TPQ, 64, 1, 99], [TPQ, TPQ, 62, 0, 127], [2 * TPQ, 2 * TPQ, 65, 1, 1]];

async function playingInto(port, score = scoreOf(NOTES)) {
  const context = new FakeContext();
  const clock = new FakeClock(context);
  const player = new Player({ context, ticker: clock.ticker, makeSynthesiser: async () => new FakeSink(), baseUrl: "http://localhost/" });
  const inMs = (second) => second * 1000;
  player.addSink(new MidiOut(port, { context, now: () => inMs(context.currentTime), timestampOf: inMs }));
  player.setScore(score);
  await player.play(0);
  return { player, clock };
}

/** No note is left sounding when everything has been played. */
function assertNothingHangs(port) {
  const held = new Set();
  for (const { status, channel, pitch } of [...port.notes()].sort((a, b) => a.at - b.at)) {
    if (status === 0x90) held.add(`${channel}/${pitch}`);
    else held.delete(`${channel}/${pitch}`);
  }
  assert.deepEqual([...held], []);
}

test("notes in order, each part on its channel, with its own velocities", async () => {
  const port = new FakePort("DAW");
  const { clock } = await playingInto(port);
  clock.run(9);
  const ons = port.notes().filter(({ status }) => status === 0x90);
  assert.deepEqual(ons.map(({ channel, pitch, value, at }) => [channel, pitch, value, Math.round(at)]),
    [[0, 60, 31, 60], [1, 64, 99, 60], [0, 62, 127, 560], [1, 65, 1, 1060]]);
  assert.deepEqual(port.sent.filter(({ status }) => status === 0xc0).slice(-2).map(({ channel, pitch }) => [channel, pitch]), [[0, 0], [1, 1]]);
  assertNothingHangs(port);
});

test("stopping in the middle of a note ends it, and nothing comes afterwards", async () => {
  const port = new FakePort("DAW");
  const { player, clock } = await playingInto(port);
  clock.run(0.45); // the next note has been given to the port already
  player.pause();
  const count = port.sent.length;
  clock.run(3);
  assert.equal(port.sent.length, count);
  assertNothingHangs(port);
  assert.equal(new Set(port.sent.filter(({ status, pitch }) => status === 0xb0 && pitch === 123).map(({ channel }) => channel)).size, 16);
});

test("a muted part is silent at once, in the DAW too", async () => {
  const port = new FakePort("DAW");
  const { player, clock } = await playingInto(port);
  clock.run(0.2);
  player.setMuted(0, true);
  clock.run(3);
  assert.deepEqual(port.notes().filter(({ status }) => status === 0x90).map(({ pitch }) => pitch), [60, 64, 65]);
  assertNothingHangs(port);
});

test("drums on channel 10; more parts than channels share one of their program", () => {
  const parts = Array.from({ length: 18 }, (_, index) => ({ program: index % 16, isDrums: index === 3 }));
  const channels = midiChannels(parts);
  assert.equal(channels[3], 9);
  assert.equal(new Set(channels.slice(0, 16)).size, 16);
  assert.equal(channels[16], channels[0]);
  assert.equal(channels[17], channels[1]);
  assert.ok(channels.every((channel, index) => (channel === 9) === (index === 3)));
});

test("two parts on one channel hold a note until the last lets go", async () => {
  const port = new FakePort("DAW");
  const score = scoreOf([[0, TPQ, 60, 0], [0, 3 * TPQ, 60, 15]], { parts: 16 });
  const { clock } = await playingInto(port, score);
  clock.run(5);
  assert.deepEqual(port.notes().filter(({ status }) => status === 0x80).map(({ at }) => Math.round(at)), [1560]);
});

test("ports are found by name; what is missing is said in a sentence", async () => {
  const open = (name, access) => MidiOut.open(name, new FakeContext(), access);
  assert.deepEqual(await midiPorts(accessTo(new FakePort("A"), new FakePort("B"))), ["A", "B"]);
  assert.equal((await open("B", accessTo(new FakePort("A"), new FakePort("B")))).port.name, "B");
  await assert.rejects(open("C", accessTo(new FakePort("A"))), /no MIDI port "C" any more\. Choose one of: A\./);
  await assert.rejects(open("C", accessTo()), /no MIDI port on this computer/);
  await assert.rejects(open("C", async () => { throw new Error("SecurityError"); }), /not allowed to use MIDI/);
  await assert.rejects(open("C", null), /has no Web MIDI/);
});
