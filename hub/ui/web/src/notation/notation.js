/**
 * Notation of a score of any length: only what is visible, and a margin, is loaded and drawn.
 *
 *     const notation = new Notation(host, {loadPage, workerUrl});
 *     notation.setScore(score); notation.setSelection(selection); notation.setPosition(tick);
 *
 * Events (CustomEvent): "selection" {selection}, "seek" {tick}, "drawn" {first, count,
 * milliseconds}, "error" {message}.
 */

import { snapDown, snapUp } from "../grid.js";
import { Score } from "../score.js";
import { Selection } from "../selection.js";
import { DrawingError, Engraver } from "./engraver.js";
import { Drags, moved } from "./gestures.js";
import { addStyle } from "./look.js";
import { PageView } from "./page_view.js";
import { changedMeasures, pageOf, pagesOf, Strip } from "./paging.js";
import { readReply } from "./reply.js";

const NARROW = 640; // pixels; below, pages stand below each other
const GUTTER = { wide: 92, narrow: 58 };
const INDENT = 14; // between the gutter and the music, for what hangs over its left edge
const MEASURE_WIDTH = 165; // until a page is drawn
const STAFF_HEIGHT = 74;
const LOADS_AT_ONCE = 2;
const KEPT_VIEWS = 12;
const KEPT_REPLIES = 64;
const ZOOMS = [0.4, 2.5];
const FOLLOW_AT = 0.25; // share of the view where the position stands after following
let count = 0;

/** What a page is while it is on its way: view, what stops it, whether it must be drawn again. */
class Slot {
  constructor(view) {
    this.view = view;
    this.controller = null;
    this.isStale = true;
    this.hasFailed = false;
  }
}

export class Notation extends EventTarget {
  /**
   * @param {HTMLElement} host
   * @param {{
   *     loadPage: (first: number, count: number, how: {plain: boolean, revision: number,
   *         signal: AbortSignal}) => Promise<string|object>,
   *     workerUrl: string|URL, createWorker?: () => Worker, label?: string, snap?: string}} options
   *     loadPage: MusicXML text, or what hub.ui.score_pages says of a page; `plain`: engraved from
   *     the notes, because the user's own engraving was refused
   */
  constructor(host, { loadPage, workerUrl, createWorker, label = "Notation", snap = "measure" }) {
    super();
    this.host = host;
    this.document = host.ownerDocument;
    this.loadPage = loadPage;
    this.snap = snap;
    this.uid = `notation${++count}`;
    this.zoom = 1;
    this.layoutWanted = "auto";
    this.score = Score.empty();
    this.selection = Selection.empty(this.score);
    this.highlights = { changed: new Set(), playing: new Set() };
    this.pages = [];
    this.strip = new Strip([]);
    this.slots = new Map();
    this.replies = new Map();
    this.active = null;
    this.position = null;
    this.follows = true;
    this.baseTop = 0;
    this.stats = { drawn: 0, loaded: 0, drawMs: [], loadMs: [], mountMs: [] };
    this.engraver = new Engraver(createWorker ?? (() => new Worker(workerUrl, { type: "module" })));
    this.engraver.warm();
    this.build(label);
  }

  // The page around the music

  build(label) {
    const make = (className) => {
      const made = this.document.createElement("div");
      made.className = className;
      return made;
    };
    this.root = make("notation");
    this.scroll = make("notation-scroll");
    this.space = make("notation-space");
    this.cursor = make("notation-cursor");
    this.names = make("notation-names");
    this.status = make("notation-status");
    this.cursor.hidden = true;
    this.names.setAttribute("aria-hidden", "true");
    this.status.setAttribute("role", "status");
    this.space.setAttribute("role", "presentation");
    this.cursor.setAttribute("aria-hidden", "true");
    const { scroll } = this;
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "grid");
    scroll.setAttribute("aria-label", label);
    scroll.setAttribute("aria-multiselectable", "true");
    scroll.setAttribute("aria-busy", "true");
    this.space.append(this.cursor);
    scroll.append(this.space);
    this.root.append(scroll, this.names, this.status);
    this.host.append(this.root);
    addStyle(this.root);
    scroll.addEventListener("scroll", () => {
      this.scrolled = { left: scroll.scrollLeft, top: scroll.scrollTop };
      this.later();
    });
    scroll.addEventListener("keydown", (event) => this.key(event));
    scroll.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.drags = new Drags(scroll, {
      placeAt: (x, y) => this.placeAt(x, y),
      onDrag: (from, to, event) => this.drag(from, to, event),
      onEnd: () => this.dragged(),
      onCancel: () => this.draw(this.selection),
      onSeek: ({ tick }) => this.emit("seek", { tick }),
    });
    this.resizing = new ResizeObserver(() => this.resized());
    this.resizing.observe(this.root);
    // Asking the browser would have it lay everything out there and then.
    this.scrolled = { left: 0, top: 0 };
    this.width = this.root.clientWidth;
    this.height = this.root.clientHeight;
    this.isHidden = !this.width;
  }

  destroy() {
    this.resizing.disconnect();
    cancelAnimationFrame(this.frame);
    for (const slot of this.slots.values()) slot.controller?.abort();
    this.engraver.close();
    this.root.remove();
    this.slots.clear();
    this.isGone = true;
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // What is shown

  /** @param {Score} score @param {{changed?: Iterable<number>}} [more] notes of a take to highlight */
  setScore(score, { changed } = {}) {
    const before = this.score;
    const edited = before.measureCount ? changedMeasures(before, score) : null;
    this.score = score;
    this.selection = this.selection.for(score);
    if (edited === null) this.startAgain();
    else this.redraw(edited);
    for (const { view } of this.slots.values()) if (view.isDrawn) view.renumber(score);
    this.setHighlights({ changed: changed ?? [], playing: [] });
    this.draw(this.selection);
    this.later();
  }

  /** Another score: every page is new. The place in it stays, if it has one like it. */
  startAgain() {
    const measure = this.strip.total ? this.measureInView() : 0;
    for (const slot of this.slots.values()) this.drop(slot);
    this.slots.clear();
    this.replies.clear();
    this.pages = pagesOf(this.score.measureCount, this.score.parts.length);
    this.baseTop = 0;
    this.layOut();
    this.scroll.setAttribute("aria-rowcount", this.score.parts.length);
    this.scroll.setAttribute("aria-colcount", this.score.measureCount);
    if (measure) this.showMeasure(Math.min(measure, this.score.measureCount - 1));
  }

  /** Only pages with these measures are loaded again; what they show stays until then. */
  redraw(measures) {
    for (const index of new Set([...measures].map((measure) => pageOf(this.pages, measure)))) {
      this.replies.delete(index);
      this.stale(index);
    }
  }

  stale(index) {
    const slot = this.slots.get(index);
    if (!slot) return;
    slot.controller?.abort();
    slot.controller = null;
    slot.isStale = true;
    slot.hasFailed = false;
  }

  setSelection(selection) {
    this.selection = selection;
    this.draw(selection);
  }

  /** "measure", "beat" or "tick": what a drag snaps to. */
  setSnap(unit) {
    this.snap = unit;
  }

  /** @param {{changed?: Iterable<number>, playing?: Iterable<number>}} indexes */
  setHighlights(indexes) {
    for (const [name, notes] of Object.entries(indexes)) {
      this.highlights[name] = new Set(notes);
      for (const { view } of this.slots.values()) view.light(`is-${name}`, this.highlights[name]);
    }
  }

  draw(selection) {
    for (const { view } of this.slots.values()) view.mark(selection, this.score);
  }

  /** @param {number|null} tick  null: nothing plays */
  setPosition(tick) {
    this.position = tick;
    const sounding = tick === null ? [] : this.score.notesBetween(tick, tick + 1);
    this.setHighlights({ playing: sounding });
    if (tick !== null && this.follows) this.follow(tick);
    this.placeCursor();
  }

  setZoom(zoom) {
    const wanted = Math.min(ZOOMS[1], Math.max(ZOOMS[0], zoom));
    if (wanted === this.zoom || !this.pages.length) return;
    const measure = this.measureInView();
    this.zoom = wanted;
    this.reshape(measure);
  }

  /** "auto" (by width), "continuous" (one long system) or "wrapped". */
  setLayout(layout) {
    this.layoutWanted = layout;
    this.reshape(this.measureInView());
  }

  get isContinuous() {
    return this.layoutWanted === "auto" ? this.width >= NARROW : this.layoutWanted === "continuous";
  }

  get gutter() {
    return this.width >= NARROW ? GUTTER.wide : GUTTER.narrow;
  }

  /** Where the music begins. */
  get indent() {
    return this.gutter + INDENT;
  }

  /** Width for the engraver: null is one long system, whatever the zoom. */
  get drawingOptions() {
    const width = Math.max(160, this.width - this.indent - 18);
    return this.isContinuous ? { width: null, zoom: 1 } : { width, zoom: this.zoom };
  }

  resized() {
    const { clientWidth, clientHeight } = this.root;
    this.isHidden = !clientWidth;
    if (this.isHidden) return;
    this.height = clientHeight;
    // A browser forgets where something was scrolled to while it is not displayed.
    this.scroll.scrollLeft = this.scrolled.left;
    this.scroll.scrollTop = this.scrolled.top;
    if (clientWidth === this.width) return this.later();
    const measure = this.measureInView();
    const before = JSON.stringify(this.drawingOptions);
    this.width = clientWidth;
    if (JSON.stringify(this.drawingOptions) !== before) this.reshape(measure);
    else this.later();
  }

  /** Another width, zoom or direction: the same pages, drawn and laid out anew. */
  reshape(measure) {
    const options = JSON.stringify(this.drawingOptions);
    const mustDraw = options !== this.drawnWith;
    for (const index of this.slots.keys()) if (mustDraw) this.stale(index);
    this.layOut();
    this.showMeasure(measure);
    this.later();
  }

  // Where pages stand

  layOut() {
    this.drawnWith = JSON.stringify(this.drawingOptions);
    this.strip = new Strip(this.pages.map((page, index) => this.sizeOf(page, this.slots.get(index))));
    for (const index of this.slots.keys()) this.place(index);
    this.extend();
    if (!this.isContinuous) this.scroll.scrollLeft = 0;
  }

  /** Along the direction of reading, in pixels on screen. */
  sizeOf(page, slot) {
    const drawing = slot?.view.drawing;
    if (drawing && !slot.isStale) return (this.isContinuous ? drawing.width : drawing.height) * this.zoom;
    if (this.isContinuous) return page.count * (this.measureWidth ?? MEASURE_WIDTH) * this.zoom;
    const width = page.count * MEASURE_WIDTH * this.zoom;
    const systems = Math.ceil(width / this.drawingOptions.width);
    return systems * (this.systemHeight ?? STAFF_HEIGHT * this.score.parts.length + 40) * this.zoom;
  }

  place(index) {
    const { view } = this.slots.get(index);
    const { style } = view.element;
    const offset = this.strip.offsets[index];
    const along = this.strip.sizes[index];
    const system = view.drawing?.systems[0];
    const top = this.isContinuous && system?.staves.length ? (this.baseTop - system.staves[0].top) * this.zoom : 0;
    style.left = `${this.isContinuous ? this.indent + offset : 0}px`;
    style.top = `${this.isContinuous ? top : offset}px`;
    style.width = `${this.isContinuous ? along : this.width - 20}px`;
    style.height = view.isDrawn ? `${view.drawing.height * this.zoom}px` : this.isContinuous ? "100%" : `${along}px`;
    if (!view.isDrawn) return;
    view.content.style.transform = `translateX(${this.isContinuous ? 0 : this.indent}px) scale(${this.zoom})`;
    view.name(this.isContinuous ? null : this.partNames(), this.gutter, this.zoom);
  }

  extend() {
    const { style } = this.space;
    const drawn = [...this.slots.values()].filter(({ view }) => view.isDrawn).map(({ view }) => view.drawing.height + this.baseTop);
    const height = Math.max(0, ...drawn) * this.zoom;
    style.width = this.isContinuous ? `${this.indent + this.strip.total}px` : "100%";
    style.height = this.isContinuous ? (height ? `${height}px` : "100%") : `${this.strip.total}px`;
  }

  get viewStart() {
    return this.isContinuous ? this.scrolled.left : this.scrolled.top;
  }

  set viewStart(offset) {
    const longest = Math.max(0, this.strip.total + (this.isContinuous ? this.indent - this.width : -this.height));
    const kept = Math.min(Math.max(0, offset), longest);
    if (this.isContinuous) this.scroll.scrollLeft = this.scrolled.left = kept;
    else this.scroll.scrollTop = this.scrolled.top = kept;
  }

  get viewLength() {
    return this.isContinuous ? Math.max(1, this.width - this.indent) : Math.max(1, this.height);
  }

  measureInView() {
    if (!this.pages.length) return 0;
    const index = this.strip.at(this.viewStart + 1);
    const { first, count } = this.pages[index];
    const share = (this.viewStart - this.strip.offsets[index]) / Math.max(1, this.strip.sizes[index]);
    return first + Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  }

  /** Offset of a measure along the direction of reading; estimated where it is not drawn. */
  offsetOf(measure) {
    const index = pageOf(this.pages, measure);
    const { first, count } = this.pages[index];
    const { view } = this.slots.get(index) ?? {};
    const placed = view?.map?.measures.get(measure);
    if (!placed) return this.strip.offsets[index] + (this.strip.sizes[index] * (measure - first)) / count;
    if (this.isContinuous) return this.strip.offsets[index] + placed.left * this.zoom;
    if (placed.system === 0) return this.strip.offsets[index];
    return this.strip.offsets[index] + (view.drawing.systems[placed.system].staves[0].top - 40) * this.zoom;
  }

  /** Scroll so that a measure is in view. */
  showMeasure(measure, { always = true } = {}) {
    if (!this.pages.length) return;
    const start = this.offsetOf(measure);
    const end = this.isContinuous && measure + 1 < this.score.measureCount ? this.offsetOf(measure + 1) : start + 80;
    const isSeen = start >= this.viewStart && end <= this.viewStart + this.viewLength;
    if (always || !isSeen) this.viewStart = Math.max(0, start - (always ? 0 : this.viewLength * FOLLOW_AT));
    this.wantedMeasure = always ? { measure, at: this.viewStart } : null;
    this.later();
  }

  // What is loaded

  later() {
    if (this.frame || this.isGone) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  update() {
    if (!this.pages.length || this.isHidden) return;
    const margin = this.viewLength;
    const [first, last] = this.strip.range(this.viewStart - margin, this.viewStart + this.viewLength + margin);
    for (let index = first; index < last; index++) if (!this.slots.has(index)) this.open(index);
    for (const [index, slot] of this.slots) {
      const isWanted = index >= first && index < last;
      if (!isWanted && slot.controller) {
        slot.controller.abort();
        slot.controller = null;
      }
    }
    this.thinOut(first, last);
    this.pump(first, last);
    this.nameParts();
    this.placeCursor();
  }

  open(index) {
    const slot = new Slot(new PageView(this.document, this.pages[index], this.uid));
    this.slots.set(index, slot);
    this.space.append(slot.view.element);
    this.place(index);
  }

  drop(slot) {
    slot.controller?.abort();
    slot.view.element.remove();
  }

  /** Pages far from view go; the nearest of them stay for those who scroll back. */
  thinOut(first, last) {
    const far = (index) => Math.max(first - index, index - last + 1, 0);
    const outside = [...this.slots.keys()].filter((index) => far(index) > 0).sort((a, b) => far(a) - far(b));
    for (const index of outside) {
      const slot = this.slots.get(index);
      const isSpare = this.slots.size > Math.max(KEPT_VIEWS, last - first);
      if (slot.view.isDrawn && !slot.isStale && !isSpare) continue;
      this.drop(slot);
      this.slots.delete(index);
    }
  }

  distance(index) {
    const middle = this.viewStart + this.viewLength / 2;
    return Math.abs(this.strip.offsets[index] + this.strip.sizes[index] / 2 - middle);
  }

  /** Start loading what is nearest, a few at a time. */
  pump(first, last) {
    let busy = 0;
    const waiting = [];
    for (const [index, slot] of this.slots) {
      if (slot.controller) busy++;
      else if (slot.isStale && !slot.hasFailed && index >= first && index < last) waiting.push(index);
    }
    waiting.sort((a, b) => this.distance(a) - this.distance(b));
    for (const index of waiting.slice(0, LOADS_AT_ONCE - busy)) this.load(index);
    this.scroll.setAttribute("aria-busy", String(busy + waiting.length > 0));
  }

  async load(index) {
    const slot = this.slots.get(index);
    const controller = new AbortController();
    slot.controller = controller;
    try {
      const began = performance.now();
      const { drawing, page } = await this.drawn(index, controller.signal);
      await this.turn();
      if (controller.signal.aborted) return;
      this.mount(index, slot, drawing, page);
      slot.controller = null;
      this.emit("drawn", { ...this.pages[index], milliseconds: performance.now() - began });
    } catch (error) {
      if (error.name === "AbortError" || controller.signal.aborted) return;
      slot.controller = null;
      this.failed(slot, error);
    } finally {
      this.later();
    }
  }

  /** Pages are put on screen one a frame. */
  turn() {
    this.mounting = (this.mounting ?? Promise.resolve()).then(nextFrame);
    return this.mounting;
  }

  /** The user's own engraving; where that breaks the engraver, one made from the notes. */
  async drawn(index, signal) {
    let page = await this.reply(index, signal, false);
    try {
      return { page, drawing: await this.engraved(index, page, signal) };
    } catch (error) {
      if (!(error instanceof DrawingError)) throw error;
      if (error.isFatal) this.say(error.message);
      page = await this.reply(index, signal, true);
      return { page, drawing: await this.engraved(index, page, signal) };
    }
  }

  async engraved(index, page, signal) {
    const answer = await this.engraver.draw(page.musicxml, this.drawingOptions, {
      priority: () => (this.slots.has(index) ? this.distance(index) : Infinity),
      signal,
    });
    keep(this.stats.drawMs, answer.milliseconds);
    return answer.drawing;
  }

  async reply(index, signal, plain) {
    const known = this.replies.get(index);
    if (known && (known.plain || !plain)) return known;
    const { first, count: measures } = this.pages[index];
    const { score } = this;
    const began = performance.now();
    const answer = await this.loadPage(first, measures, { plain, revision: score.revision, signal });
    keep(this.stats.loadMs, performance.now() - began);
    this.stats.loaded += 1;
    const page = { ...readReply(answer, score, this.meterGoesOn(first)), plain };
    if (!signal.aborted) {
      this.replies.delete(index);
      this.replies.set(index, page);
      if (this.replies.size > KEPT_REPLIES) this.replies.delete(this.replies.keys().next().value);
    }
    return page;
  }

  /** A page in the middle of a score does not say again what the measure before it said. */
  meterGoesOn(first) {
    const { meter } = this.score.measures;
    return first > 0 && meter[first] === meter[first - 1];
  }

  mount(index, slot, drawing, page) {
    const began = performance.now();
    const { view } = slot;
    view.show(drawing, page, this.score);
    slot.isStale = false;
    this.stats.drawn += 1;
    this.fit(index, drawing);
    view.mark(this.selection, this.score);
    for (const [name, notes] of Object.entries(this.highlights)) view.light(`is-${name}`, notes);
    this.showActive();
    keep(this.stats.mountMs, performance.now() - began);
  }

  /** Give a page its real size without moving what is looked at. */
  fit(index, drawing) {
    const isBefore = index < this.strip.at(this.viewStart);
    const isFirst = this.measureWidth === undefined;
    this.learn(index, drawing);
    if (isFirst) {
      this.layOut();
    } else {
      const size = (this.isContinuous ? drawing.width : drawing.height) * this.zoom;
      const change = this.strip.resize(index, size);
      this.extend();
      if (change && isBefore) this.viewStart += change;
      for (const other of this.slots.keys()) if (change || other === index) this.place(other);
    }
    // Where a measure was asked for by an estimate, it is now known where it is.
    const wanted = this.wantedMeasure;
    if (wanted && Math.abs(this.viewStart - wanted.at) < 2) {
      this.viewStart = this.offsetOf(wanted.measure);
      wanted.at = this.viewStart;
    }
  }

  learn(index, drawing) {
    const { count: measures } = this.pages[index];
    this.measureWidth ??= drawing.systems.reduce((sum, { left, right }) => sum + right - left, 0) / measures;
    this.systemHeight ??= drawing.height / Math.max(1, drawing.systems.length);
    const top = drawing.systems[0]?.staves[0]?.top ?? 0;
    if (this.isContinuous && top > this.baseTop) {
      this.baseTop = top;
      for (const each of this.slots.keys()) this.place(each);
    }
  }

  failed(slot, error) {
    slot.hasFailed = true;
    slot.isStale = true;
    const message = error instanceof DrawingError ? "These measures could not be drawn." : String(error.message || error);
    if (!slot.view.isDrawn) slot.view.fail(message);
    this.say(message);
    this.emit("error", { message });
  }

  say(message) {
    this.status.textContent = message;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.status.textContent = ""), 6000);
  }

  // Names and position

  partNames() {
    return this.score.parts.map((part) => part.name || part.id);
  }

  /** In one long system the names stand still while the music moves. */
  nameParts() {
    this.names.hidden = !this.isContinuous;
    if (!this.isContinuous) return;
    const { view } = this.slots.get(this.strip.at(this.viewStart)) ?? {};
    this.names.style.width = `${this.gutter}px`;
    if (!view?.isDrawn) return;
    const top = parseFloat(view.element.style.top) - this.scrolled.top;
    const key = [view.span.first, this.zoom, top, this.stats.drawn, this.gutter].join();
    if (key === this.namedFor) return;
    this.namedFor = key;
    const labels = view.nameLabels(this.partNames(), this.gutter, this.zoom, [0]);
    for (const label of labels) label.style.marginTop = `${top}px`;
    this.names.replaceChildren(...labels);
  }

  placeCursor() {
    const { position } = this;
    const place = position === null || !this.pages.length ? null : this.pointOf(position);
    this.cursor.hidden = !place;
    if (!place) return;
    const { style } = this.cursor;
    style.left = "0";
    style.top = "0";
    style.transform = `translate(${place.left}px, ${place.top}px)`;
    style.height = `${place.height}px`;
  }

  /** Where a tick is in the space that scrolls; null where its page is not drawn. */
  pointOf(tick) {
    const { view } = this.slots.get(pageOf(this.pages, this.score.measureAt(tick))) ?? {};
    const place = view?.map?.at(tick);
    if (!place) return null;
    const { staves } = view.drawing.systems[place.system];
    const [left, top] = [parseFloat(view.element.style.left), parseFloat(view.element.style.top)];
    return {
      left: left + (this.isContinuous ? 0 : this.indent) + place.x * this.zoom,
      top: top + (staves[0].top - 12) * this.zoom,
      height: (staves.at(-1).bottom - staves[0].top + 24) * this.zoom,
    };
  }

  follow(tick) {
    const measure = this.score.measureAt(tick);
    if (this.drags.from || measure === this.followed) return;
    this.followed = measure;
    this.showMeasure(measure, { always: false });
  }

  // Selecting

  placeAt(clientX, clientY) {
    if (!this.pages.length) return null;
    const box = this.space.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    const index = this.strip.at(this.isContinuous ? x - this.indent : y);
    const { view } = this.slots.get(index) ?? {};
    if (!view?.isDrawn) return null;
    const left = parseFloat(view.element.style.left) + (this.isContinuous ? 0 : this.indent);
    return view.map.hit((x - left) / this.zoom, (y - parseFloat(view.element.style.top)) / this.zoom);
  }

  /** @returns {import("../selection.js").Box[]} every part between two places, over whole units */
  boxesOf(from, to) {
    const { score, snap } = this;
    const [start, end] = [Math.min(from.tick, to.tick), Math.max(from.tick, to.tick)];
    const [low, high] = [Math.min(from.part, to.part), Math.max(from.part, to.part)];
    const startTick = snapDown(score, start, snap);
    const endTick = snapUp(score, end + 1, snap);
    return score.parts
      .map((_, partIndex) => ({ partIndex, startTick, endTick, low: 0, high: 127 }))
      .filter(({ partIndex }) => partIndex >= low && partIndex <= high);
  }

  drag(from, to, event) {
    const boxes = this.boxesOf(from, to);
    if (event.altKey) this.draft = this.selection.subtract(...boxes);
    else if (event.shiftKey || event.ctrlKey || event.metaKey) this.draft = this.selection.add(...boxes);
    else this.draft = this.selection.replacedBy(...boxes);
    this.active = { measure: to.measure, part: to.part };
    this.anchor = { measure: from.measure, part: from.part };
    this.draw(this.draft);
    this.showActive();
  }

  dragged() {
    this.choose(this.draft);
  }

  choose(selection) {
    this.setSelection(selection);
    this.emit("selection", { selection });
  }

  key(event) {
    if (!this.score.measureCount || event.altKey) return;
    if (event.key === "Escape") return this.escape();
    const isZoom = { "+": 1.15, "=": 1.15, "-": 1 / 1.15 }[event.key];
    if (isZoom && !event.ctrlKey && !event.metaKey) this.setZoom(this.zoom * isZoom);
    else if (event.key === "Enter" && this.active) this.toggleActive();
    else if (!this.step(event)) return;
    event.preventDefault();
  }

  escape() {
    if (this.drags.from) this.drags.cancel();
    else if (!this.selection.isEmpty) this.choose(this.selection.cleared());
  }

  toggleActive() {
    const place = this.placeOf(this.active);
    this.choose(this.selection.toggle(...this.boxesOf(place, { ...place, tick: this.score.measureEnd(place.measure) - 1 })));
  }

  /** Arrows select; with Shift from where it began; with Ctrl they only go there. */
  step(event) {
    const from = this.active ?? { measure: this.measureInView(), part: 0 };
    const size = { measures: this.score.measureCount, parts: this.score.parts.map((_, index) => index) };
    const to = moved(event.key, from, size);
    if (!to) return false;
    this.active = this.active ? to : from;
    if (!event.shiftKey || !this.anchor) this.anchor = this.active;
    this.showMeasure(this.active.measure, { always: false });
    this.showActive();
    if (event.ctrlKey || event.metaKey) return true;
    const [low, high] = [this.anchor, this.active].sort((a, b) => a.measure - b.measure);
    const end = { ...this.placeOf(high), tick: this.score.measureEnd(high.measure) - 1 };
    this.choose(this.selection.replacedBy(...this.boxesOf(this.placeOf(low), end)));
    return true;
  }

  placeOf({ measure, part }) {
    return { measure, part, tick: this.score.measureStart(measure) };
  }

  /** The cell that the keyboard is at; screen readers read its name. */
  showActive() {
    this.scroll.querySelector(".is-active")?.classList.remove("is-active");
    if (!this.active) return;
    const id = `${this.uid}-m${this.active.measure}-p${this.active.part}`;
    const cell = this.scroll.querySelector(`#${id}`);
    if (!cell) return this.scroll.removeAttribute("aria-activedescendant");
    cell.classList.add("is-active");
    this.scroll.setAttribute("aria-activedescendant", id);
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.setZoom(this.zoom * Math.exp(-event.deltaY / 400));
    } else if (this.isContinuous && !event.deltaX && this.space.offsetHeight <= this.scroll.clientHeight + 2) {
      event.preventDefault();
      this.scroll.scrollLeft += event.deltaY;
    }
  }
}

function keep(figures, figure) {
  figures.push(figure);
  if (figures.length > 400) figures.shift();
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
