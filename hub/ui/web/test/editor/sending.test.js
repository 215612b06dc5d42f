import assert from "node:assert/strict";
import { test } from "node:test";
import { Sending } from "../../src/editor/sending.js";
import { Score } from "../../src/score.js";

const note = (pitch) => ({ part: 0, onset: 0, duration: 1, pitch, velocity: 80 });
const score = (revision, ...pitches) => Score.empty().withNotes(pitches.map(note), revision);
const edit = (pitch) => ({ removed: [], added: [note(pitch)] });

function busy() {
  const sent = [];
  const sending = new Sending((one, revision) => sent.push([one.added[0].pitch, revision]));
  sending.answered(score(4));
  sending.add(edit(60), score(4, 60));
  sending.add(edit(61), score(4, 60, 61));
  return { sending, sent };
}

test("edits go one at a time, each on the version before it", () => {
  const { sending, sent } = busy();
  assert.deepEqual(sent, [[60, 4]]);
  assert.deepEqual(sending.answered(score(5, 60)), { isNewer: true, givenUp: 0 });
  assert.deepEqual(sent, [[60, 4], [61, 5]]);
  assert.deepEqual(sending.answered(score(6, 60, 61)), { isNewer: false, givenUp: 0 });
  assert.equal(sending.isBusy, false);
});

test("what was drawn on something else than the server made is given up", () => {
  const { sending, sent } = busy();
  assert.deepEqual(sending.answered(score(4)), { isNewer: false, givenUp: 1 });
  assert.equal(sent.length, 1);
});

test("a server that has the page back gets the edit again, if it has the same version", () => {
  const same = busy();
  assert.deepEqual(same.sending.restored(score(4)), { isNewer: true, givenUp: 0 });
  assert.deepEqual(same.sent, [[60, 4], [60, 4]]);
  const older = busy();
  assert.deepEqual(older.sending.restored(score(3)), { isNewer: false, givenUp: 2 });
  assert.equal(older.sent.length, 1);
});
