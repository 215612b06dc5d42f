/**
 * Points ↔ measures, parts and ticks on one drawn page. Pure; lengths are pixels at zoom 1.
 *
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {{tick: number, x: number}} Anchor
 * @typedef {{system: number, left: number, right: number, start: number, end: number,
 *     anchors: Anchor[]}} PlacedMeasure  start, end in ticks; anchors ascending in both
 * @typedef {{left: number, top: number, width: number, height: number}} Rectangle
 */

const AIR = 14; // above and below the staves of a part

export class PageMap {
  /**
   * @param {Drawing} drawing
   * @param {import("../score.js").Score} score
   * @param {{parts: number[], staves: number[]}} page  what is drawn, from the top
   * @param {Map<number, {part: number, onset: number, pitch: number}>} noteOfRow
   */
  constructor(drawing, score, page, noteOfRow) {
    this.systems = drawing.systems;
    this.parts = page.parts;
    this.partOfStaff = page.parts.flatMap((part, place) => Array(page.staves[place]).fill(part));
    /** @type {Map<number, PlacedMeasure>} */
    this.measures = new Map();
    this.place(score);
    this.anchor(drawing.heads, noteOfRow);
  }

  place(score) {
    this.systems.forEach((system, index) => {
      for (const { index: measure, left, right, start } of system.measures) {
        const [begin, end] = [score.measureStart(measure), score.measureEnd(measure)];
        const anchors = [{ tick: begin, x: start }, { tick: end, x: right }];
        this.measures.set(measure, { system: index, left, right, start: begin, end, anchors });
      }
    });
  }

  /** Note heads say where their ticks are; between them time is evenly spread. */
  anchor(heads, noteOfRow) {
    const found = new Map();
    for (const { row, x, measure, isTied } of heads) {
      const note = isTied ? null : noteOfRow.get(row);
      const placed = this.measures.get(measure);
      if (!note || !placed || note.onset < placed.start || note.onset >= placed.end) continue;
      if (!found.has(measure)) found.set(measure, new Map());
      const columns = found.get(measure);
      columns.set(note.onset, Math.min(x, columns.get(note.onset) ?? Infinity));
    }
    for (const [measure, columns] of found) {
      const placed = this.measures.get(measure);
      placed.anchors = merged(placed.anchors, columns);
    }
  }

  get first() {
    return Math.min(...this.measures.keys());
  }

  get last() {
    return Math.max(...this.measures.keys());
  }

  /** Top and bottom of a part's staves in a system, with air; null where it is not drawn. */
  partSpan(system, part) {
    const staves = this.systems[system].staves.filter((_, staff) => this.partOfStaff[staff] === part);
    if (!staves.length) return null;
    return { top: staves[0].top - AIR, bottom: staves.at(-1).bottom + AIR };
  }

  /** The nearest measure and part to a point. */
  hit(x, y) {
    const system = nearest(this.systems, (each) => distance(y, each.staves[0]?.top ?? 0, each.staves.at(-1)?.bottom ?? 0));
    if (system < 0 || !this.systems[system].measures.length) return null;
    const { measures, staves } = this.systems[system];
    const measure = measures[nearest(measures, ({ left, right }) => distance(x, left, right))].index;
    const staff = nearest(staves, ({ top, bottom }) => distance(y, top, bottom));
    return { measure, part: this.partOfStaff[staff] ?? this.parts[0], tick: this.tickAt(measure, x) };
  }

  /** @returns {{system: number, x: number}|null} where a tick is */
  at(tick) {
    for (const placed of this.measures.values()) {
      if (tick >= placed.start && tick < placed.end) return { system: placed.system, x: along(placed.anchors, tick, "tick", "x") };
    }
    return null;
  }

  tickAt(measure, x) {
    const { anchors, start, end } = this.measures.get(measure);
    return Math.min(end - 1, Math.max(start, Math.floor(along(anchors, x, "x", "tick"))));
  }

  /**
   * Rectangles over a part's staves from one tick to another, one a system.
   * @returns {Rectangle[]}
   */
  rectangles(part, startTick, endTick) {
    const found = [];
    this.systems.forEach((system, index) => {
      const touched = system.measures.map((each) => this.measures.get(each.index)).filter((each) => each.start < endTick && each.end > startTick);
      const span = touched.length ? this.partSpan(index, part) : null;
      if (!span) return;
      const [first, last] = [touched[0], touched.at(-1)];
      const left = startTick <= first.start ? first.left : along(first.anchors, startTick, "tick", "x") - 6;
      const right = endTick >= last.end ? last.right : along(last.anchors, endTick, "tick", "x") - 6;
      found.push({ left, top: span.top, width: Math.max(2, right - left), height: span.bottom - span.top });
    });
    return found;
  }

  /** One measure of one part. @returns {Rectangle|null} */
  cell(measure, part) {
    const placed = this.measures.get(measure);
    const span = placed && this.partSpan(placed.system, part);
    return span && { left: placed.left, top: span.top, width: placed.right - placed.left, height: span.bottom - span.top };
  }
}

/** Anchors in order of time with the columns of notes between them; x never goes back. */
function merged([first, last], columns) {
  const anchors = [first];
  if (columns.has(first.tick)) first.x = columns.get(first.tick);
  const inOrder = [...columns].filter(([tick]) => tick > first.tick).sort(([a], [b]) => a - b);
  for (const [tick, x] of inOrder) if (x > anchors.at(-1).x && x < last.x) anchors.push({ tick, x });
  return [...anchors, last];
}

/** Piecewise linear, held at the ends. */
function along(anchors, value, from, to) {
  if (value <= anchors[0][from]) return anchors[0][to];
  for (let i = 1; i < anchors.length; i++) {
    const [a, b] = [anchors[i - 1], anchors[i]];
    if (value < b[from]) return a[to] + ((b[to] - a[to]) * (value - a[from])) / (b[from] - a[from]);
  }
  return anchors.at(-1)[to];
}

const distance = (value, low, high) => Math.max(low - value, 0, value - high);

function nearest(items, far) {
  let best = -1;
  let least = Infinity;
  items.forEach((item, index) => {
    const each = far(item);
    if (each < least) [best, least] = [index, each];
  });
  return best;
}
