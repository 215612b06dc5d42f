/**
 * The score editor: notation, piano roll and player of one score, with a bar above them.
 *
 *   const editor = new Editor(host, {baseUrl, name, trigger, server});
 *   editor.show(value);         // a value of hub.ui.ScoreEditor; as often as one comes
 *
 * It is made once and shows what it is given; playing goes on meanwhile. What the user does goes to
 * the server by `trigger`, pages of notation and the session to keep come by `server`.
 * Event: "selection" {region, selection}.
 */
import { Bar } from "./editor/bar.js";
import { Keeping } from "./editor/keeping.js";
import { Sending } from "./editor/sending.js";
import { Notation } from "./notation/notation.js";
import { Player } from "./player/player.js";
import { Roll } from "./roll/roll.js";
import { Score } from "./score.js";
import { Selection } from "./selection.js";

const KEEP_AFTER_MS = 300;
const KEEP_AGAIN_MS = 3000;
const RESTORE_AFTER_MS = 400; // time for a page to bring a first score of its own
const SNAPS = { measure: "measure", beat: "beat", tick: "tick" };

export class Editor extends EventTarget {
  /**
   * @param {HTMLElement} host
   * @param {{baseUrl: string, name: string, trigger: (event: string, data: object) => void,
   *     server: {notation_page: Function, session: Function}}} page baseUrl: where editor.js lies
   */
  constructor(host, { baseUrl, name, trigger, server }) {
    super();
    this.trigger = trigger;
    this.server = server;
    this.key = "";
    this.serial = 0;
    this.score = Score.empty();
    this.selection = Selection.empty(this.score);
    this.keeping = new Keeping(name);
    this.sending = new Sending((edit, revision) => trigger("edit", { edit, revision }));
    this.build(host, baseUrl);
    this.listen();
    this.restoring = setTimeout(() => this.restore(), RESTORE_AFTER_MS);
    this.frame = requestAnimationFrame(() => this.follow());
  }

  build(host, baseUrl) {
    const make = (className, tag = "div") => Object.assign(host.ownerDocument.createElement(tag), { className });
    this.root = make("se-editor");
    host.append(this.root);
    this.bar = new Bar(this.root);
    this.said = make("se-said", "p");
    this.said.setAttribute("role", "status");
    const views = make("se-views");
    const [notationHost, rollHost] = [make("se-notation"), make("se-roll")];
    views.append(notationHost, rollHost);
    this.root.append(this.said, views);
    this.root.dataset.view = "both";
    this.player = new Player({ baseUrl: new URL("editor.js", baseUrl) });
    this.roll = new Roll(rollHost);
    this.notation = new Notation(notationHost, {
      workerUrl: new URL("notation-worker.js", baseUrl),
      loadPage: (first, count, how) => this.loadPage(first, count, how),
    });
  }

  listen() {
    const { bar, player, roll, notation, root } = this;
    const on = (target, type, act) => target.addEventListener(type, ({ detail }) => act(detail ?? {}));
    on(bar, "play", () => this.playOrPause());
    on(bar, "undo", () => this.step("undo"));
    on(bar, "redo", () => this.step("redo"));
    on(bar, "loop", ({ isOn }) => this.setLooping(isOn));
    on(bar, "metronome", ({ isOn }) => player.setMetronome(isOn));
    on(bar, "tempo", ({ factor }) => player.setTempoFactor(factor));
    on(bar, "show", ({ view }) => (root.dataset.view = view));
    for (const view of [roll, notation]) {
      on(view, "selection", ({ selection }) => this.select(selection));
      on(view, "seek", ({ tick }) => player.seek(tick));
    }
    on(roll, "edit", ({ removed, added, score }) => this.edit({ removed, added }, score));
    on(roll, "mute", ({ part, on: isOn }) => player.setMuted(part, isOn));
    on(roll, "solo", ({ part, on: isOn }) => player.setSolo(part, isOn));
    on(player, "state", ({ isPlaying }) => bar.setPlaying(isPlaying));
    root.addEventListener("keydown", (event) => this.pressKey(event));
  }

  // What comes from the server

  /** @param {object|null} value */
  show(value) {
    if (!value || value.serial === this.serial) return;
    this.serial = value.serial;
    if (value.isLost) return void this.restoreLost();
    this.say(value.error || (value.notices ?? []).join(" "), Boolean(value.error));
    if (!value.score) return;
    const isOther = value.key !== this.key;
    this.key = value.key;
    this.bar.setHistory(value.history ?? {});
    if (value.accepts) this.accept(value.accepts);
    const score = Score.from(value.score);
    const { isNewer, givenUp } = this.wasLost ? this.sending.restored(score) : this.sending.answered(score);
    this.wasLost = false;
    if (givenUp) this.say("The last edits were drawn on notes that have changed; please make them again.", true);
    if (!isNewer) this.draw(score, new Set(isOther ? [] : value.changed));
    if (value.selection) this.mark(Selection.fromJSON(value.selection, score));
    if (this.hasAsked) this.keepSoon();
    else this.restoreOnce();
  }

  accept(accepts) {
    this.roll.setAccepts(accepts);
    this.notation.setSnap(SNAPS[accepts.unit] ?? "measure");
  }

  draw(score, changed) {
    this.score = score;
    this.player.setScore(score);
    this.roll.setScore(score, { changed });
    this.notation.setScore(score, { changed });
    this.selection = this.selection.for(score);
  }

  async loadPage(first, count, { plain, revision }) {
    const page = await this.server.notation_page({ key: this.key, revision, first, count, plain });
    if (!page) throw new Error("The server does not answer; it may be starting.");
    if (page.error) throw new Error(page.error);
    return page;
  }

  // What the user does

  select(selection) {
    this.mark(selection);
    const region = selection.isEmpty ? null : selection.toJSON();
    this.dispatchEvent(new CustomEvent("selection", { detail: { region, selection } }));
    this.trigger("select", { region });
  }

  mark(selection) {
    this.selection = selection;
    this.roll.setSelection(selection);
    this.notation.setSelection(selection);
    if (this.isLooping) this.setLooping(true);
  }

  /** Heard at once; the notation waits for the server's version, whose pages it draws. */
  edit(edit, drawn) {
    this.score = drawn;
    this.player.setScore(drawn);
    this.sending.add(edit, drawn);
  }

  step(direction) {
    if (!this.sending.isBusy) this.trigger(direction, {});
  }

  pressKey(event) {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!isCommand || !["z", "y"].includes(event.key.toLowerCase())) return;
    event.preventDefault();
    this.step(event.shiftKey || event.key.toLowerCase() === "y" ? "redo" : "undo");
  }

  async playOrPause() {
    if (this.player.isPlaying) return this.player.pause();
    try {
      await this.player.play();
    } catch (error) {
      this.say(`There is no sound: ${error.message}`, true);
    }
  }

  setLooping(isOn) {
    this.isLooping = isOn;
    const [start, end] = this.selection.span ?? [0, this.score.endTick];
    this.player.setLoop(isOn ? start : null, isOn ? end : null);
  }

  say(text, isError = false) {
    this.said.textContent = text;
    this.said.classList.toggle("is-error", isError);
  }

  // The position, while it plays

  follow() {
    this.frame = requestAnimationFrame(() => this.follow());
    const tick = this.player.positionTick();
    const position = this.player.isPlaying || tick > 0 ? tick : null;
    if (position === this.position) return;
    this.position = position;
    this.roll.setPosition(position);
    this.notation.setPosition(position === null ? null : Math.floor(position));
    this.bar.setWhere(position === null ? "" : this.placeOf(position));
  }

  placeOf(tick) {
    const measure = this.score.measureAt(tick);
    const beat = Math.floor((tick - this.score.measureStart(measure)) / this.score.beatTicks(measure));
    return `${this.score.measures.number[measure] ?? ""}:${beat + 1}`;
  }

  // The session, kept in the browser

  keepSoon(afterMs = KEEP_AFTER_MS) {
    clearTimeout(this.keepTimer);
    this.keepTimer = setTimeout(() => this.keep(), afterMs);
  }

  async keep() {
    const answer = await Promise.resolve(this.server.session({ key: this.key })).catch(() => undefined);
    if (!answer) return this.keepSoon(KEEP_AGAIN_MS); // the server is being started again
    const { session, revision } = answer;
    if (!session) return;
    await this.keeping.save(session).then(() => (this.keptRevision = revision), () => undefined); // none in private windows
  }

  /** A page that has just been loaded takes up what was kept for it; after that, it only keeps. */
  async restoreOnce() {
    clearTimeout(this.restoring);
    if (this.hasAsked) return;
    await this.restore();
  }

  /** The server does not know this page any more: it was started again, or has forgotten it. */
  restoreLost() {
    this.wasLost = true;
    this.hasAsked = true;
    return this.restore();
  }

  async restore() {
    const isFirst = !this.hasAsked;
    this.hasAsked = true;
    const session = await this.keeping.load();
    if (session) this.trigger("restore", { session });
    else if (!isFirst) this.say("The server was started again, and nothing was kept here; open your score again.", true);
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.keepTimer);
    clearTimeout(this.restoring);
    this.player.close();
    this.roll.destroy();
    this.notation.destroy();
    this.root.remove();
  }
}
