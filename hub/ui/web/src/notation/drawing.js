/**
 * verovio's SVG text → an inert tree and where everything stands. Pure; runs in the worker.
 *
 * Nothing of the text reaches the page as markup: it is taken apart here, what is not on the two
 * lists is dropped, and the page builds its elements from the tree (see dom.js, which looks at
 * the same lists again). Lengths are CSS pixels at zoom 1.
 *
 * @typedef {[string, Object<string, string>, Array<Tree|string>]} Tree  name, attributes, children
 * @typedef {{index: number, left: number, right: number, start: number}} MeasureBox
 *     index: of the score; start: where its music begins, behind clef, key and meter
 * @typedef {{left: number, right: number, staves: Array<{top: number, bottom: number}>,
 *     measures: MeasureBox[]}} System
 * @typedef {{row: number, x: number, y: number, measure: number, isTied: boolean}} NoteHead
 *     row: of the score's notes when the page was made; isTied: goes on from a head before
 * @typedef {{width: number, height: number, tree: Tree, systems: System[], heads: NoteHead[]}} Drawing
 */

export const ELEMENTS = new Set([
  "svg", "g", "defs", "symbol", "use", "path", "rect", "ellipse", "circle", "polygon",
  "polyline", "line", "text", "tspan",
]);
export const ATTRIBUTES = new Set([
  "class", "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "rx", "ry", "cx", "cy", "r",
  "width", "height", "points", "transform", "viewBox", "overflow", "font-size", "font-style",
  "font-weight", "font-family", "text-anchor", "stroke", "stroke-width", "stroke-linecap",
  "stroke-linejoin", "stroke-dasharray", "fill", "fill-opacity", "stroke-opacity", "opacity",
  "id", "href", "data-note", "data-measure",
]);
const UNSAFE_VALUE = /url\s*\(|javascript:|expression\s*\(/i;
const STROKED = new Set(["ellipse", "path", "polygon", "polyline", "rect"]);
const LETTERS = {
  ending: ["font-weight", "bold"], fing: ["font-weight", "bold"], reh: ["font-weight", "bold"],
  tempo: ["font-weight", "bold"], dir: ["font-style", "italic"], dynam: ["font-style", "italic"],
  mNum: ["font-style", "italic"],
};
// Letters that only verovio's own font has inside text → what other fonts have.
const TEXT_GLYPHS = {
  "\ueca2": "\u{1d15d}", "\ueca3": "\u{1d15e}", "\ueca5": "♩", "\ueca7": "♪",
  "\ueca9": "\u{1d161}", "\uecb7": ".", "\ue1d5": "♩", "\ue1d7": "♪", "\ue1e7": ".",
  "\ue260": "♭", "\ue261": "♮", "\ue262": "♯", "\ued60": "♭", "\ued61": "♮", "\ued62": "♯",
  "\ue520": "p", "\ue521": "m", "\ue522": "f", "\ue523": "r", "\ue524": "s", "\ue525": "z",
  "\ue870": "°", "\ue871": "ø", "\ue872": "+", "\ue873": "△", "\ue874": "−",
};
const TOKEN =
  /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|([^<]+)/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const NOTE_ID = /^n(\d+)(\.\d+)?$/;
const MEASURE_ID = /^m(\d+)\.p\d+$/;
const STAFF_LINE = /^M([-\d.]+) ([-\d.]+) ?L([-\d.]+) ([-\d.]+)$/;
const PLACE = /translate\(\s*([-\d.]+)[\s,]+([-\d.]+)\s*\)/;
const HALF_A_HEAD = 108; // of verovio's units
const SIGNS = new Set(["clef", "keySig", "meterSig"]);
const BEHIND_SIGNS = { clef: 520, keySig: 60, meterSig: 480, keyAccid: 200 };

/**
 * @param {string} svg  from verovio
 * @param {string} prefix  makes the ids of glyphs unique on a page
 * @returns {Drawing}
 */
export function readDrawing(svg, prefix) {
  const raw = parse(svg);
  const outer = numbers(raw[1].viewBox);
  const inner = numbers(findElement(raw, "svg")?.[1].viewBox);
  const scale = outer[2] / inner[2];
  const places = new Places(scale);
  const tree = clean(raw, { prefix, places, dx: 0, dy: 0, isDefinition: false });
  delete tree[1].id;
  return {
    width: outer[2], height: outer[3], tree, systems: places.systems, heads: places.heads,
  };
}

/** @returns {Tree} the root element as written, names and values untouched */
export function parse(text) {
  const top = ["", {}, []];
  const stack = [top];
  for (const [, closing, name, attributes, isEmpty, words] of text.matchAll(TOKEN)) {
    if (words !== undefined) {
      if (words.trim() || !words.includes("\n")) stack.at(-1)[2].push(decode(words));
    } else if (closing) {
      if (stack.length > 1) stack.pop();
    } else if (name) {
      const element = [name, attributesOf(attributes), []];
      stack.at(-1)[2].push(element);
      if (!isEmpty) stack.push(element);
    }
  }
  const root = top[2].find((child) => typeof child !== "string");
  if (!root) throw new Error("There is no picture in what the notation program wrote.");
  return root;
}

function attributesOf(text) {
  const found = {};
  for (const [, name, double, single] of (text || "").matchAll(ATTRIBUTE)) {
    found[name] = decode(double ?? single);
  }
  return found;
}

function decode(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? whole;
    const code = hex ? parseInt(hex, 16) : parseInt(decimal, 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
  });
}

const numbers = (text) => (text || "0 0 1 1").trim().split(/[\s,]+/).map(Number);

function findElement(tree, name) {
  return tree[2].find((child) => child[0] === name && typeof child !== "string");
}

/** The tree with only what is known; tells `places` where things stand on the way. */
function clean([name, attributes, children], context) {
  const classes = (attributes.class || "").split(/\s+/);
  const here = placed(attributes, context, name);
  const { places } = context;
  const leave = context.isDefinition ? null : places.enter(name, attributes, classes, here);
  const inside = { ...here, isDefinition: context.isDefinition || name === "defs" };
  const kept = [];
  for (const child of children) {
    if (typeof child === "string") kept.push(plain(child));
    else if (ELEMENTS.has(child[0]) && !isNothing(child)) kept.push(clean(child, inside));
  }
  if (leave) leave();
  return [name, cleanAttributes(name, attributes, classes, inside), kept];
}

/** Where the origin of an element's content is; only groups of whole pages are moved. */
function placed(attributes, context, name) {
  const moved = name === "g" && PLACE.exec(attributes.transform || "");
  return moved ? { ...context, dx: context.dx + +moved[1], dy: context.dy + +moved[2] } : context;
}

/** Milestones and place holders draw nothing. */
function isNothing([name, attributes, children]) {
  const isEmptyGroup = name === "g" && children.length === 0;
  return isEmptyGroup || (attributes.class || "").includes("placeholder");
}

function cleanAttributes(name, attributes, classes, { prefix, isDefinition }) {
  const kept = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "href" || key === "xlink:href") {
      if (value.startsWith("#")) kept.href = `#${prefix}${value.slice(1)}`;
    } else if (key === "id") {
      nameElement(kept, value, prefix, isDefinition);
    } else if (ATTRIBUTES.has(key) && !key.startsWith("data-") && !UNSAFE_VALUE.test(value)) {
      kept[key] = value;
    }
  }
  if (isDefinition) return kept;
  if (STROKED.has(name)) kept.stroke = "currentColor";
  if (kept.color) delete kept.color;
  for (const each of classes) if (LETTERS[each]) kept[LETTERS[each][0]] = LETTERS[each][1];
  return kept;
}

/** Glyphs keep an id to be used by, notes and measures say which they are, others need none. */
function nameElement(kept, id, prefix, isDefinition) {
  if (isDefinition) kept.id = prefix + id;
  else if (NOTE_ID.test(id)) kept["data-note"] = id;
  else if (MEASURE_ID.test(id)) kept["data-measure"] = id;
}

function plain(text) {
  return text.replace(/[\ue000-\uf8ff]/g, (letter) => TEXT_GLYPHS[letter] ?? "");
}

/** Collects systems, measures and note heads while the tree is walked. */
class Places {
  constructor(scale) {
    this.scale = scale;
    /** @type {System[]} */
    this.systems = [];
    /** @type {NoteHead[]} */
    this.heads = [];
    this.measure = null;
    this.staff = null;
    this.note = null;
    this.sign = null;
  }

  /** Called at each element; returns what to do when it is left, if anything. */
  enter(name, attributes, classes, { dx, dy }) {
    if (name === "g") return this.enterGroup(attributes.id || "", classes);
    if (name === "path" && this.staff && !this.sign) this.line(attributes.d || "", dx, dy);
    if (name === "use") this.glyph(attributes.transform || "", dx, dy);
    return null;
  }

  enterGroup(id, classes) {
    if (classes.includes("system")) {
      this.systems.push({ left: Infinity, right: 0, staves: [], measures: [] });
    } else if (classes.includes("measure")) {
      return this.enterMeasure(id);
    } else if (classes.includes("staff") && this.measure) {
      this.staff = { top: Infinity, bottom: -Infinity };
      return () => this.leaveStaff();
    } else if (classes.includes("note")) {
      this.note = NOTE_ID.exec(id);
      return () => (this.note = null);
    } else if (classes.some((each) => SIGNS.has(each))) {
      const before = this.sign;
      this.sign = classes.find((each) => SIGNS.has(each));
      return () => (this.sign = before);
    }
    return null;
  }

  enterMeasure(id) {
    const match = MEASURE_ID.exec(id);
    if (!match) return null;
    this.measure = { index: +match[1], left: Infinity, right: 0, start: 0 };
    this.staffCount = 0;
    this.firstHead = Infinity;
    return () => {
      const { measure } = this;
      this.measure = null;
      if (measure.right <= 0) return;
      // Signs in the middle of a measure stand behind its first note.
      if (measure.start < measure.left || measure.start > this.firstHead) measure.start = measure.left;
      measure.start = Math.min(measure.start, measure.right);
      this.systems.at(-1).measures.push(measure);
    };
  }

  leaveStaff() {
    const { staff } = this;
    this.staff = null;
    if (staff.top === Infinity) return;
    const { staves } = this.systems.at(-1);
    if (this.staffCount >= staves.length) staves.push(staff);
    this.staffCount += 1;
  }

  line(d, dx, dy) {
    const match = STAFF_LINE.exec(d);
    if (!match || match[2] !== match[4] || this.note) return;
    const [left, y, right] = [+match[1] + dx, +match[2] + dy, +match[3] + dx];
    if (this.measure.right && left * this.scale > this.measure.left + 1) return; // a ledger line
    if (this.measure.right && right * this.scale < this.measure.right - 1) return;
    const system = this.systems.at(-1);
    this.measure.left = left * this.scale;
    this.measure.right = right * this.scale;
    system.left = Math.min(system.left, this.measure.left);
    system.right = Math.max(system.right, this.measure.right);
    this.staff.top = Math.min(this.staff.top, y * this.scale);
    this.staff.bottom = Math.max(this.staff.bottom, y * this.scale);
  }

  glyph(transform, dx, dy) {
    const match = PLACE.exec(transform);
    if (!match || !this.measure) return;
    const [x, y] = [(+match[1] + dx) * this.scale, (+match[2] + dy) * this.scale];
    if (this.sign) {
      const end = x + BEHIND_SIGNS[this.sign] * this.scale;
      if (x <= this.firstHead) this.measure.start = Math.max(this.measure.start, end);
    } else if (this.note) {
      this.head(x + HALF_A_HEAD * this.scale, y);
      this.firstHead = Math.min(this.firstHead, x);
    }
  }

  /** The first glyph of a note is its head; accidentals and articulations come after it. */
  head(x, y) {
    const row = +this.note[1];
    const isTied = this.note[2] !== undefined;
    const last = this.heads.at(-1);
    if (last && last.row === row && last.key === this.note[0]) return;
    this.heads.push({ row, x, y, measure: this.measure.index, isTied, key: this.note[0] });
  }
}
