/**
 * A piano roll on canvases: draws what of a score is visible, marks regions, edits and locks notes.
 *
 *   const roll = new Roll(host, { accepts });
 *   roll.setScore(score, { changed });
 *   roll.addEventListener("selection", ({ detail }) => detail.selection.toJSON());
 *
 * Events, all with a `detail`:
 *   selection  {selection}                    after a drag, a key, a lock
 *   edit       {removed, added, revision, score}   indexes in the score as it was before; `score` is
 *                                             what is shown from now on, until the next setScore
 *   seek       {tick}                         a click on the ruler
 *   mute, solo {part, on}    audition {part, pitch, velocity}    tool {tool}
 */
import { Score } from "../score.js";
import { Selection } from "../selection.js";
import { nextLine, previousLine, snapDown, snapUp } from "../grid.js";
import { pasted, quantised, replacing } from "./edits.js";
import { GRIDS, buildFrame, partHeader, sizeCanvas } from "./frame.js";
import { Gestures } from "./gestures.js";
import { pressKey } from "./keys.js";
import { fittingRowHeight, lanesHeight, layoutLanes, pitchRanges } from "./lanes.js";
import { Limits } from "./limits.js";
import { paintCursor, paintGrid, paintNotes, paintOverview, paintSelection } from "./paint.js";
import { installStyle } from "./style.js";
import { partColour, readTheme, watchTheme } from "./theme.js";
import { View } from "./view.js";
import { boxesOfDrag } from "./drags.js";
import { capital, counted, noteWords, partName, selectionWords } from "./words.js";

const HEADER = 28;
const OVERVIEW = 30;
const FIRST_MEASURES = 8;
const LAYERS = ["grid", "notes", "selection", "cursor"];
const HINTS = {
  select: "Drag to mark · Shift adds · Alt subtracts · ruler: all parts",
  edit: "Click draws · drag moves or chooses · ends stretch · Alt-drag: velocity",
  lock: "Click a note to keep it as it is",
};

export class Roll extends EventTarget {
  /**
   * @param {HTMLElement} host
   * @param {{accepts?: import("./limits.js").Accepts|null, tool?: "select"|"edit"|"lock"}} options
   */
  constructor(host, { accepts = null, tool = "select" } = {}) {
    super();
    this.accepts = accepts;
    this.score = Score.empty();
    this.limits = new Limits(accepts, this.score);
    this.selection = Selection.empty(this.score);
    this.preview = null; // the selection while it is being dragged
    this.changed = new Set();
    this.chosen = new Set(); // notes picked for editing
    this.draft = { indexes: new Set(), notes: [] };
    this.band = null;
    this.clipboard = [];
    this.muted = new Set();
    this.solo = new Set();
    this.collapsed = new Set();
    this.merged = false;
    this.byPitch = false;
    this.velocity = 80;
    this.gridIndex = 3;
    this.activePart = 0;
    this.cursor = null;
    this.anchor = null;
    this.playing = null;
    this.follows = true;
    this.ranges = [];
    this.view = new View();
    this.dirty = new Set();
    this.stats = { grid: 0, notes: 0, selection: 0, cursor: 0, slowestFrameMs: 0 };
    installStyle(host);
    this.frame = buildFrame(host);
    this.theme = readTheme(this.frame.root);
    this.gestures = new Gestures(this.frame.stage, this);
    this.listen();
    this.setTool(tool, { quietly: true });
    this.resize();
  }

  listen() {
    const { tools, stage, headers, overview, thumb } = this.frame;
    tools.addEventListener("click", (event) => this.runAction(event.target.closest("button")?.dataset.action));
    tools.addEventListener("input", (event) => this.setField(event.target));
    tools.addEventListener("change", (event) => event.target.dataset.field === "velocity" && this.commitVelocity());
    stage.addEventListener("keydown", (event) => pressKey(this, event) && event.preventDefault());
    stage.addEventListener("focus", () => this.invalidate("cursor"));
    stage.addEventListener("blur", () => this.invalidate("cursor"));
    headers.addEventListener("click", (event) => this.runHeader(event.target.closest("button")));
    headers.addEventListener("focusin", (event) => this.revealHeader(event.target));
    this.listenOverview(overview);
    this.listenThumb(thumb);
    this.resizeObserver = new ResizeObserver(() => this.resize());
    this.resizeObserver.observe(this.frame.body);
    this.stopWatchingTheme = watchTheme(() => this.refreshTheme());
  }

  /** Leave the page. */
  destroy() {
    this.resizeObserver.disconnect();
    this.stopWatchingTheme();
    cancelAnimationFrame(this.frameRequest);
    this.frame.root.remove();
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // What the page sets.

  /** @param {{changed?: Set<number>}} options changed: indexes of notes to highlight as new */
  setScore(score, { changed = new Set() } = {}) {
    const isOther = !sameParts(this.score, score);
    const isFirst = !this.score.parts.length || isOther;
    const chosen = isOther ? [] : [...this.chosen].map((index) => this.score.note(index));
    this.gestures.letGoOfNotes();
    this.score = score;
    this.changed = changed;
    this.limits = new Limits(this.accepts, score);
    this.selection = isOther ? Selection.empty(score) : this.selection.for(score);
    this.dropDraft();
    this.chosen = new Set(indexesOf(score, chosen));
    this.ranges = pitchRanges(score, isOther ? [] : this.ranges);
    if (isOther) this.forgetParts();
    this.view.endTick = Math.max(this.limits.endTick, score.endTick, 1);
    this.view.ticksPerQuarter = score.ticksPerQuarter;
    if (isFirst) this.showBeginning();
    this.layout();
    this.overviewIsStale = true;
    this.frame.empty.hidden = score.parts.length > 0;
    this.say();
  }

  forgetParts() {
    this.muted.clear();
    this.solo.clear();
    this.collapsed.clear();
    this.activePart = 0;
    this.cursor = null;
    this.anchor = null;
  }

  setSelection(selection) {
    this.selection = selection;
    this.preview = null;
    this.invalidate("notes", "selection", "cursor");
    this.say();
  }

  /** @param {import("./limits.js").Accepts|null} accepts */
  setAccepts(accepts) {
    this.accepts = accepts;
    this.setScore(this.score, { changed: this.changed });
  }

  /** Where it plays; null: nowhere. */
  setPosition(tick) {
    if (tick === this.playing) return;
    this.playing = tick;
    if (tick !== null && this.follows && !this.gestures.gesture) this.followPlaying(tick);
    this.invalidate("cursor");
  }

  followPlaying(tick) {
    const { scrollTick, visibleTicks } = this.view;
    if (tick >= scrollTick && tick < scrollTick + visibleTicks * 0.97) return;
    this.scrollToTick(tick - visibleTicks * 0.05);
  }

  setMuted(part, on) {
    this.setFlag("mute", this.muted, part, on, { quietly: true });
  }

  setSolo(part, on) {
    this.setFlag("solo", this.solo, part, on, { quietly: true });
  }

  setTool(tool, { quietly = false } = {}) {
    this.tool = tool;
    for (const button of this.frame.tools.querySelectorAll('[aria-label="Tool"] button')) {
      button.setAttribute("aria-pressed", button.dataset.action === tool);
    }
    for (const group of this.frame.tools.querySelectorAll("[data-for]")) group.hidden = group.dataset.for !== tool;
    this.frame.hint.textContent = HINTS[tool];
    this.anchor = null;
    if (tool !== "edit") this.choose([], { quietly: true });
    this.invalidate("cursor", "selection");
    if (quietly) return;
    this.announce(`${capital(tool)} tool`);
    this.emit("tool", { tool });
  }

  // Size, place, zoom.

  resize() {
    const { width, height } = this.frame.body.getBoundingClientRect();
    if (!width || !height) return;
    const isFirst = !this.contexts;
    Object.assign(this.view, { width, height });
    this.contexts = Object.fromEntries(LAYERS.map((layer) => [layer, sizeCanvas(this.frame.canvases[layer], width, height)]));
    const overview = this.frame.overview.getBoundingClientRect().width;
    this.overviewContext = sizeCanvas(this.frame.overviewCanvas, overview, OVERVIEW - 1);
    this.overviewIsStale = true;
    if (isFirst) this.showBeginning();
    this.view.zoomTime(1);
    this.layout();
  }

  /** The first measures, every lane in view if it can be. */
  showBeginning() {
    const { score, view } = this;
    if (!score.parts.length) return;
    const shown = Math.min(score.measureStart(FIRST_MEASURES), view.endTick);
    view.rowHeight = fittingRowHeight(this.ranges, view.contentHeight, { merged: this.merged, header: HEADER });
    view.pixelsPerTick = view.contentWidth / Math.max(1, shown * 1.02);
    view.scrollTo(0, 0);
  }

  layout() {
    const { ranges, merged, collapsed, view } = this;
    view.lanes = layoutLanes(ranges, { merged, collapsed, rowHeight: view.rowHeight, header: HEADER });
    view.scrollTo(view.scrollTick, view.scrollY);
    this.rebuildHeaders();
    this.invalidate(...LAYERS);
  }

  /** @returns {boolean} did anything move? */
  scrollBy(pixelsX, pixelsY) {
    const { view } = this;
    const before = [view.scrollTick, view.scrollY];
    view.scrollBy(pixelsX, pixelsY);
    if (before[0] === view.scrollTick && before[1] === view.scrollY) return false;
    this.invalidate(...LAYERS);
    return true;
  }

  scrollToTick(tick) {
    this.view.scrollTo(tick);
    this.invalidate(...LAYERS);
  }

  zoomTime(factor, x) {
    this.view.zoomTime(factor, x);
    this.invalidate(...LAYERS);
  }

  /** Taller or lower rows; the place at y stays. */
  zoomRows(factor, y = this.view.height / 2) {
    const { view } = this;
    const lane = view.laneAt(y) ?? view.nearestLane(y);
    const rows = lane ? (y - view.laneTop(lane) - lane.header) / view.rowHeight : 0;
    view.rowHeight = view.zoomedRow(factor);
    this.layout();
    if (!lane) return;
    const same = view.lanes.find((other) => other.partIndex === lane.partIndex);
    view.scrollTo(view.scrollTick, view.scrollY + view.laneTop(same) + same.header + rows * view.rowHeight - y);
    this.invalidate(...LAYERS);
  }

  fitTime() {
    this.view.fitTime();
    this.invalidate(...LAYERS);
  }

  setMerged(merged) {
    this.merged = merged;
    this.frame.tools.querySelector('[data-action="merge"]').setAttribute("aria-pressed", merged);
    this.view.rowHeight = fittingRowHeight(this.ranges, this.view.contentHeight, { merged, header: HEADER });
    this.view.scrollY = 0;
    this.layout();
  }

  // Drawing.

  invalidate(...layers) {
    layers.forEach((layer) => this.dirty.add(layer));
    this.frameRequest ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frameRequest = null;
    if (!this.contexts) return;
    const began = performance.now();
    const isMoved = this.dirty.has("grid");
    const dirty = this.dirty;
    this.dirty = new Set();
    for (const layer of LAYERS) {
      if (!dirty.has(layer)) continue;
      this.stats[layer]++;
      this.contexts[layer].clearRect(0, 0, this.view.width, this.view.height);
      this.paint(layer);
    }
    if (isMoved) this.placeChrome();
    this.stats.slowestFrameMs = Math.max(this.stats.slowestFrameMs, performance.now() - began);
  }

  paint(layer) {
    const { view, score, theme, limits } = this;
    const context = this.contexts[layer];
    const scene = { view, score, theme, limits, silent: this.silentParts() };
    const selection = this.preview ?? this.selection;
    if (layer === "grid") paintGrid(context, scene);
    else if (layer === "notes") paintNotes(context, scene, { changed: this.changed, selection, without: this.draft.indexes });
    else if (layer === "selection") paintSelection(context, scene, { selection, chosen: this.visiblyChosen(), draft: this.draft.notes, band: this.band });
    else paintCursor(context, scene, { playing: this.playing, cursor: this.shownCursor(), span: selection.span });
  }

  visiblyChosen() {
    return this.draft.indexes.size ? new Set() : this.chosen;
  }

  silentParts() {
    const { solo, muted } = this;
    return new Set([...this.score.parts.keys()].filter((part) => isSilent(part, solo, muted)));
  }

  /** The keyboard's cursor, shown while the stage has the focus and a key has moved it. */
  shownCursor() {
    if (!this.cursor || document.activeElement !== this.frame.stage) return null;
    const { tick, part, pitch } = this.cursor;
    const lane = this.laneOf(part);
    const isByPitch = this.tool !== "select" || this.byPitch || this.merged;
    const endTick = this.cursorUnit === "measure" ? snapUp(this.score, tick + 1, "measure") : nextLine(this.score, tick, this.cursorUnit);
    return { tick, endTick, lane, pitch: isByPitch ? pitch : null };
  }

  /** Headers, overview and thumb follow the scroll. */
  placeChrome() {
    for (const row of this.frame.headers.children) {
      const lane = this.view.lanes[Number(row.dataset.lane)];
      if (lane) row.style.transform = `translateY(${lane.top - this.view.scrollY}px)`;
    }
    this.drawOverview();
    this.placeThumb();
  }

  drawOverview() {
    const { overview } = this.frame;
    const width = overview.clientWidth;
    const height = OVERVIEW - 1;
    if (this.overviewIsStale) {
      this.overviewImage ??= document.createElement("canvas");
      paintOverview(sizeCanvas(this.overviewImage, width, height), this, this.ranges, width, height);
      this.overviewIsStale = false;
    }
    const context = this.overviewContext;
    const { view, theme } = this;
    context.clearRect(0, 0, width, height);
    context.drawImage(this.overviewImage, 0, 0, width, height);
    const scale = width / Math.max(1, view.endTick);
    const left = view.scrollTick * scale;
    const shown = Math.max(6, Math.min(width, view.visibleTicks * scale));
    context.fillStyle = theme.quiet;
    context.globalAlpha = 0.16;
    context.fillRect(left, 0, shown, height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.quiet;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, shown - 1.5, height - 1.5);
    this.describeOverview(overview);
  }

  describeOverview(overview) {
    const { score, view } = this;
    const first = score.measureAt(view.scrollTick);
    overview.setAttribute("aria-valuemax", Math.max(0, score.measureCount - 1));
    overview.setAttribute("aria-valuenow", first);
    overview.setAttribute("aria-valuetext", `From measure ${score.measures.number[first] ?? 1}`);
  }

  placeThumb() {
    const { thumb } = this.frame;
    const { view } = this;
    const all = lanesHeight(view.lanes) + 8;
    thumb.hidden = all <= view.contentHeight + 1;
    const share = view.contentHeight / all;
    thumb.style.height = `${Math.max(24, share * view.contentHeight)}px`;
    thumb.style.top = `${26 + (view.scrollY / all) * view.contentHeight}px`;
  }

  refreshTheme() {
    this.theme = readTheme(this.frame.root);
    this.overviewIsStale = true;
    this.rebuildHeaders();
    this.invalidate(...LAYERS);
  }

  // Headers.

  rebuildHeaders() {
    const { headers } = this.frame;
    const focused = headers.contains(document.activeElement) ? document.activeElement.dataset.action + document.activeElement.closest("[data-part]")?.dataset.part : null;
    headers.replaceChildren(...this.view.lanes.map((lane, index) => this.laneHeader(lane, index)));
    if (!focused) return;
    const same = [...headers.querySelectorAll("button")].find((button) => button.dataset.action + button.closest("[data-part]").dataset.part === focused);
    same?.focus({ preventScroll: true });
  }

  laneHeader(lane, index) {
    const row = document.createElement("div");
    row.className = `sr-lane${lane.partIndex === null ? " sr-all" : ""}`;
    row.dataset.lane = index;
    const parts = lane.partIndex === null ? [...this.score.parts.keys()] : [lane.partIndex];
    if (parts.length === 1) row.style.setProperty("--lane", this.theme.parts[partColour(parts[0])]);
    row.classList.toggle("sr-banned", parts.every((part) => !this.limits.allowsPart(part)));
    row.append(...parts.map((part) => this.partRow(part, lane)));
    row.style.transform = `translateY(${lane.top - this.view.scrollY}px)`;
    return row;
  }

  partRow(part, lane) {
    const row = partHeader({
      name: partName(this.score, part), index: part, colour: this.theme.parts[partColour(part)],
      note: this.limits.allowsPart(part) ? "" : "not for this model",
      folds: lane.partIndex !== null, expanded: !lane.collapsed, muted: this.muted.has(part), solo: this.solo.has(part),
    });
    if (part === this.activePart && this.score.parts.length > 1) row.querySelector(".sr-name").setAttribute("aria-current", "true");
    return row;
  }

  runHeader(button) {
    if (!button) return;
    const part = Number(button.closest("[data-part]").dataset.part);
    const { action } = button.dataset;
    if (action === "fold") this.fold(part);
    else if (action === "mute") this.setFlag("mute", this.muted, part, !this.muted.has(part));
    else if (action === "solo") this.setFlag("solo", this.solo, part, !this.solo.has(part));
    else this.setActivePart(part);
  }

  fold(part) {
    if (!this.collapsed.delete(part)) this.collapsed.add(part);
    this.layout();
  }

  setFlag(type, set, part, on, { quietly = false } = {}) {
    if (on) set.add(part);
    else set.delete(part);
    this.rebuildHeaders();
    this.invalidate("notes");
    if (!quietly) this.emit(type, { part, on });
  }

  setActivePart(part) {
    if (part === this.activePart) return;
    this.activePart = part;
    this.rebuildHeaders();
  }

  revealHeader(target) {
    const lane = this.view.lanes[Number(target.closest("[data-lane]")?.dataset.lane)];
    this.frame.headers.scrollTop = 0;
    if (!lane) return;
    this.view.reveal(this.view.scrollTick, this.view.scrollTick, { ...lane, height: lane.header });
    this.invalidate(...LAYERS);
  }

  laneOf(part) {
    return this.view.lanes.find((lane) => lane.partIndex === part || lane.partIndex === null) ?? null;
  }

  // Tools.

  get gridTicks() {
    return Math.max(1, Math.round(this.score.ticksPerQuarter * GRIDS[this.gridIndex][1]));
  }

  /** What the cursor moves by. */
  get cursorUnit() {
    if (this.tool !== "select") return this.gridTicks;
    return this.limits.accepts.unit === "tick" ? this.gridTicks : this.limits.accepts.unit;
  }

  runAction(action) {
    const run = {
      select: () => this.setTool("select"),
      edit: () => this.setTool("edit"),
      lock: () => this.setTool("lock"),
      pitch: () => this.setByPitch(!this.byPitch),
      quantise: () => this.quantise(),
      copy: () => this.copy(),
      paste: () => this.paste(),
      remove: () => this.removeNotes([...this.chosen]),
      merge: () => this.setMerged(!this.merged),
      narrower: () => this.zoomTime(1 / 1.4),
      wider: () => this.zoomTime(1.4),
      lower: () => this.zoomRows(0.8),
      taller: () => this.zoomRows(1.25),
      fit: () => this.fitTime(),
      help: () => this.showHelp(),
    }[action];
    run?.();
  }

  setByPitch(byPitch) {
    this.byPitch = byPitch;
    this.frame.tools.querySelector('[data-action="pitch"]').setAttribute("aria-pressed", byPitch);
    this.invalidate("cursor");
  }

  setField(field) {
    if (field.dataset.field === "grid") this.gridIndex = Number(field.value);
    if (field.dataset.field !== "velocity") return;
    this.velocity = Number(field.value);
    const indexes = [...this.chosen];
    if (indexes.length) this.previewNotes(indexes, this.withVelocity(indexes));
  }

  commitVelocity() {
    const indexes = [...this.chosen];
    if (indexes.length) this.replaceNotes(indexes, this.withVelocity(indexes));
  }

  withVelocity(indexes) {
    return indexes.map((index) => ({ ...this.score.note(index), velocity: this.velocity }));
  }

  showHelp() {
    this.frame.help.showModal();
  }

  seek(tick) {
    this.emit("seek", { tick: Math.max(0, Math.min(Math.round(tick), this.view.endTick)) });
  }

  // Marking.

  measureBoxes(tick, part) {
    const start = snapDown(this.score, tick, "measure");
    const end = Math.max(start, nextLine(this.score, start, "measure") - 1);
    const isWhole = this.limits.accepts.unit === "measure";
    return boxesOfDrag(this.limits, { part, tick: start, pitch: 0 }, { part, tick: isWhole ? start : end, pitch: 127 }, { grid: "measure" });
  }

  previewSelection(selection) {
    this.preview = selection;
    this.frame.said.textContent = selectionWords(this.score, selection);
    this.frame.problem.textContent = this.limits.problem(selection);
    this.invalidate("selection", "cursor");
  }

  commitSelection(selection) {
    this.setSelection(selection);
    this.emit("selection", { selection });
  }

  toggleKept(indexes) {
    if (!indexes.length) return;
    const selection = this.selection.toggleKept(indexes.map((index) => this.score.note(index)));
    const isKept = selection.keeps(this.score.note(indexes[0]));
    this.commitSelection(selection);
    const what = indexes.length === 1 ? noteWords(this.score, this.score.note(indexes[0])) : counted(indexes.length, "note");
    this.announce(`${capital(what)} ${isKept ? "kept" : "no longer kept"}`);
  }

  selectAll() {
    if (this.tool === "edit") return this.choose([...Array(this.score.notes.count).keys()]);
    const last = this.score.parts.length - 1;
    const boxes = boxesOfDrag(this.limits, { part: 0, tick: 0, pitch: 0 }, { part: last, tick: this.score.endTick, pitch: 127 }, { allParts: true, grid: "measure" });
    return this.commitSelection(this.selection.replacedBy(...boxes));
  }

  escape() {
    this.anchor = null;
    if (this.gestures.gesture) this.gestures.stop();
    else if (this.chosen.size) this.choose([]);
    else if (!this.selection.isEmpty) this.commitSelection(this.selection.cleared());
    else return false;
    this.dropDraft();
    return true;
  }

  // Notes.

  /** Pick notes for editing. */
  choose(indexes, { quietly = false } = {}) {
    this.chosen = new Set(indexes);
    if (this.chosen.size) this.showVelocity([...this.chosen][0]);
    this.updateNoteButtons();
    this.invalidate("selection");
    if (quietly) return;
    if (this.chosen.size === 1) this.announce(noteWords(this.score, this.score.note(indexes[0])));
    else this.announce(this.chosen.size ? `${counted(this.chosen.size, "note")} chosen` : "No notes chosen");
  }

  showVelocity(index) {
    this.velocity = this.score.notes.velocity[index];
    this.frame.tools.querySelector('[data-field="velocity"]').value = this.velocity;
  }

  updateNoteButtons() {
    for (const action of ["quantise", "copy", "remove"]) {
      this.frame.tools.querySelector(`[data-action="${action}"]`).disabled = !this.chosen.size;
    }
    this.frame.tools.querySelector('[data-action="paste"]').disabled = !this.clipboard.length;
  }

  /** A new note on the grid, up to a tick when it is drawn to length. */
  noteAt(part, pitch, tick, endTick = null) {
    const onset = snapDown(this.score, tick, this.gridTicks);
    const end = endTick === null ? onset + this.gridTicks : snapUp(this.score, endTick, this.gridTicks);
    return { part, onset, duration: Math.max(this.gridTicks, end - onset), pitch, velocity: this.velocity, voice: 1 };
  }

  previewNotes(indexes, notes) {
    const isNew = this.draft.indexes.size !== indexes.length;
    this.draft = { indexes: new Set(indexes), notes };
    this.invalidate("selection", ...(isNew ? ["notes"] : []));
    if (notes.length) this.frame.said.textContent = capital(noteWords(this.score, notes[0]));
  }

  /** Put notes in place of others: shown at once, and told to the page. */
  replaceNotes(indexes, rows) {
    const edit = replacing(this.score, indexes, rows);
    this.dropDraft();
    if (!edit) return;
    const { revision } = this.score;
    const { score, added, movedTo } = this.score.withEdit(edit);
    const stay = indexes.map((index) => movedTo[index]).filter((index) => index >= 0);
    const changed = [...this.changed].map((index) => movedTo[index]).filter((index) => index >= 0);
    this.setScore(score, { changed: new Set(changed) });
    this.choose([...stay, ...added], { quietly: true });
    this.announce(editWords(this.score, edit));
    this.emit("edit", { ...edit, revision, score });
  }

  removeNotes(indexes) {
    if (indexes.length) this.replaceNotes(indexes, []);
  }

  quantise() {
    const indexes = [...this.chosen];
    const notes = indexes.map((index) => this.score.note(index));
    this.replaceNotes(indexes, quantised(notes, this.score, this.gridTicks));
  }

  copy() {
    if (!this.chosen.size) return;
    this.clipboard = [...this.chosen].map((index) => this.score.note(index));
    this.updateNoteButtons();
    this.announce(`${counted(this.clipboard.length, "note")} copied`);
  }

  /** At the cursor; without one, after what was copied. In the cursor's part if it was all of one. */
  paste() {
    if (!this.clipboard.length) return;
    const end = Math.max(...this.clipboard.map((note) => note.onset + note.duration));
    const tick = this.cursor ? snapDown(this.score, this.cursor.tick, this.gridTicks) : snapUp(this.score, end, "measure");
    const isOnePart = this.clipboard.every((note) => note.part === this.clipboard[0].part);
    this.replaceNotes([], pasted(this.clipboard, tick, isOnePart ? this.activePart : null));
  }

  setBand(band) {
    this.band = band;
    this.invalidate("selection");
  }

  /** Whatever was being dragged is not. */
  dropDraft() {
    this.draft = { indexes: new Set(), notes: [] };
    this.preview = null;
    this.band = null;
    this.invalidate("notes", "selection", "cursor");
  }

  // The keyboard's cursor.

  startCursor() {
    const tick = snapDown(this.score, this.selection.span?.[0] ?? Math.max(0, this.view.scrollTick), this.cursorUnit);
    const part = Math.min(this.activePart, this.score.parts.length - 1);
    return { tick, part, pitch: Math.round((this.ranges[part][0] + this.ranges[part][1]) / 2) };
  }

  moveCursor({ tick, part, pitch }) {
    this.cursor = { tick: Math.max(0, Math.round(tick)), part, pitch };
    this.setActivePart(part);
    const lane = this.laneOf(part);
    const isByPitch = this.tool !== "select" || this.byPitch;
    this.view.reveal(this.cursor.tick, this.cursor.tick, lane, isByPitch ? pitch : null);
    this.invalidate(...LAYERS);
  }

  noteUnder({ tick, part, pitch }) {
    const end = nextLine(this.score, tick, this.cursorUnit);
    const { notes } = this.score;
    return this.score.notesBetween(tick, end).find((index) => notes.part[index] === part && notes.pitch[index] === pitch) ?? -1;
  }

  /** The note before or after the cursor in its part, by onset and then pitch; -1: none. */
  noteBeside({ tick, part, pitch }, direction) {
    const { notes } = this.score;
    const isPast = (i) => (notes.onset[i] - tick || notes.pitch[i] - pitch) * direction > 0;
    const first = direction > 0 ? 0 : notes.count - 1;
    for (let i = first; i >= 0 && i < notes.count; i += direction) {
      if (notes.part[i] === part && isPast(i)) return i;
    }
    return -1;
  }

  // Words.

  announce(text) {
    this.frame.said.textContent = text;
  }

  say() {
    this.updateNoteButtons();
    this.frame.said.textContent = this.score.parts.length ? selectionWords(this.score, this.selection) : "";
    this.frame.problem.textContent = this.limits.problem(this.selection);
  }

  // The strip below: the whole score.

  listenOverview(overview) {
    const show = (event) => {
      const box = overview.getBoundingClientRect();
      const tick = ((event.clientX - box.left) / box.width) * this.view.endTick;
      this.scrollToTick(tick - this.view.visibleTicks / 2);
    };
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      show(event);
    });
    overview.addEventListener("pointermove", (event) => overview.hasPointerCapture(event.pointerId) && show(event));
    overview.addEventListener("keydown", (event) => this.scrollKey(event) && event.preventDefault());
  }

  scrollKey(event) {
    const { view, score } = this;
    const to = {
      ArrowRight: () => nextLine(score, snapDown(score, view.scrollTick, "measure"), "measure"),
      ArrowLeft: () => previousLine(score, Math.floor(view.scrollTick), "measure"),
      PageDown: () => view.scrollTick + view.visibleTicks * 0.9,
      PageUp: () => view.scrollTick - view.visibleTicks * 0.9,
      Home: () => 0,
      End: () => view.endTick,
    }[event.key];
    if (to) this.scrollToTick(to());
    return Boolean(to);
  }

  listenThumb(thumb) {
    let last = 0;
    thumb.addEventListener("pointerdown", (event) => {
      thumb.setPointerCapture(event.pointerId);
      last = event.clientY;
    });
    thumb.addEventListener("pointermove", (event) => {
      if (!thumb.hasPointerCapture(event.pointerId)) return;
      this.scrollBy(0, ((event.clientY - last) * (lanesHeight(this.view.lanes) + 8)) / this.view.contentHeight);
      last = event.clientY;
    });
  }
}

function isSilent(part, solo, muted) {
  return muted.has(part) || (solo.size > 0 && !solo.has(part));
}

function sameParts(one, other) {
  return one.parts.length === other.parts.length && one.parts.every((part, i) => part.id === other.parts[i].id);
}

/** Where notes are in another revision of the score; those that are gone are left out. */
function indexesOf(score, notes) {
  return notes.flatMap((note) => {
    const found = score.notesBetween(note.onset, note.onset + 1);
    const same = found.find((index) => ["part", "onset", "duration", "pitch", "velocity"].every((name) => score.notes[name][index] === note[name]));
    return same === undefined ? [] : [same];
  });
}

function editWords(score, { removed, added }) {
  if (!added.length) return `${counted(removed.length, "note")} deleted`;
  if (added.length === 1) return capital(noteWords(score, added[0]));
  return removed.length ? `${counted(added.length, "note")} changed` : `${counted(added.length, "note")} added`;
}
