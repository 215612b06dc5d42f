import assert from "node:assert/strict";
import test from "node:test";

import { Engraver } from "../../src/notation/engraver.js";

/** A worker that answers when told to. */
class FakeWorker {
  static made = [];
  constructor() {
    this.sent = [];
    this.isEnded = false;
    FakeWorker.made.push(this);
  }
  postMessage(message) {
    this.sent.push(message);
  }
  answer(more = { drawing: {}, milliseconds: 1 }) {
    this.onmessage({ data: { id: this.sent.at(-1).id, ...more } });
  }
  terminate() {
    this.isEnded = true;
  }
}

function engraver(options) {
  FakeWorker.made = [];
  return new Engraver(() => new FakeWorker(), options);
}
const names = (worker) => worker.sent.map(({ musicxml }) => musicxml);
const how = { width: null, zoom: 1 };

test("one page at a time, the nearest first as things are by then", async () => {
  const made = engraver();
  let nearest = "b";
  const draw = (name) => made.draw(name, how, { priority: () => (name === nearest ? 0 : 1) });
  const all = ["a", "b", "c"].map(draw);
  const [worker] = FakeWorker.made;
  assert.deepEqual(names(worker), ["a"]);
  nearest = "c";
  for (let i = 0; i < 3; i++) worker.answer();
  await Promise.all(all);
  assert.deepEqual(names(worker), ["a", "c", "b"]);
});

test("what nobody waits for any more is not drawn", async () => {
  const made = engraver();
  const first = made.draw("a", how);
  const controller = new AbortController();
  const second = made.draw("b", how, { signal: controller.signal });
  controller.abort();
  await assert.rejects(second, { name: "AbortError" });
  FakeWorker.made[0].answer();
  await first;
  assert.deepEqual(names(FakeWorker.made[0]), ["a"]);
});

test("a trap costs its page only: the next is drawn by a new worker", async () => {
  const made = engraver();
  const first = made.draw("bad", how);
  const second = made.draw("good", how);
  FakeWorker.made[0].answer({ trapped: "RuntimeError" });
  await assert.rejects(first, (error) => error.isFatal && /\.$/.test(error.message));
  assert.equal(FakeWorker.made.length, 2);
  assert.ok(FakeWorker.made[0].isEnded);
  FakeWorker.made[1].answer();
  await second;
});

test("a refusal keeps the worker", async () => {
  const made = engraver();
  const refused = made.draw("bad", how);
  FakeWorker.made[0].answer({ refused: "no" });
  await assert.rejects(refused, (error) => !error.isFatal);
  assert.equal(FakeWorker.made.length, 1);
});

test("a worker that hangs is replaced", async () => {
  const made = engraver({ timeoutMs: 20 });
  await assert.rejects(made.draw("endless", how), { isFatal: true });
  assert.ok(FakeWorker.made[0].isEnded);
});

test("a worker that never starts is a sentence, not an endless loop", async () => {
  const made = engraver();
  const drawn = made.draw("a", how);
  while (FakeWorker.made.length < 3) FakeWorker.made.at(-1).onerror();
  FakeWorker.made.at(-1).onerror();
  await assert.rejects(drawn, /does not start/);
});
