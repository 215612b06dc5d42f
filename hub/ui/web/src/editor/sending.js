/**
 * Edits on their way to the server, one at a time: each is drawn at once and named by the rows of
 * the score that was on the page. When the answer is what was drawn, the next one goes; when it is
 * not (a note was cut, an edit refused), those that were drawn on top of it are given up.
 *
 * @typedef {import("../score.js").Score} Score
 * @typedef {import("../score.js").Edit} Edit
 */
export class Sending {
  /** @param {(edit: Edit, revision: number) => void} send */
  constructor(send) {
    this.send = send;
    this.waiting = [];
    this.revision = 0;
  }

  get isBusy() {
    return this.waiting.length > 0;
  }

  /** @param {Score} drawn the score as the page shows it with this edit */
  add(edit, drawn) {
    this.waiting.push({ edit, drawn });
    if (this.waiting.length === 1) this.send(edit, this.revision);
  }

  /**
   * The server had forgotten the page and has it back: the waiting edits go again, if they were
   * drawn on the version that it has.
   */
  restored(score) {
    if (this.isBusy && score.revision === this.revision) {
      this.send(this.waiting[0].edit, this.revision);
      return { isNewer: true, givenUp: 0 };
    }
    this.revision = score.revision;
    return { isNewer: false, givenUp: this.waiting.splice(0).length };
  }

  /**
   * A score has come from the server.
   * @returns {{isNewer: boolean, givenUp: number}} isNewer: the page already shows more than came
   */
  answered(score) {
    this.revision = score.revision;
    const first = this.waiting.shift();
    if (!first || !this.isBusy) return { isNewer: false, givenUp: 0 };
    if (!sameNotes(first.drawn.notes, score.notes)) return { isNewer: false, givenUp: this.waiting.splice(0).length };
    this.send(this.waiting[0].edit, this.revision);
    return { isNewer: true, givenUp: 0 };
  }
}

const COLUMNS = ["onset", "duration", "pitch", "velocity", "part"];

export function sameNotes(one, other) {
  if (one.count !== other.count) return false;
  return COLUMNS.every((name) => one[name].every((value, index) => value === other[name][index]));
}
