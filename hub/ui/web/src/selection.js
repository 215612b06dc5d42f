/**
 * What may change, as an immutable value: boxes, notes kept in them, parts hidden from the model.
 * The twin of hub/region.py, with the same rule: a note is inside iff its *onset* is in
 * [startTick, endTick), its part is the box's, its pitch in low..high, and it is not kept.
 *
 * Boxes are held in one form, so that equal selections have equal boxes: for each part, slabs of
 * time, disjoint and as long as possible, each with disjoint ranges of pitch.
 *
 * @typedef {{partIndex: number|null, startTick: number, endTick: number, low: number, high: number}} Box
 * @typedef {{part: number, onset: number, pitch: number}} KeptNote
 * @typedef {"measure"|"beat"|"tick"} Unit
 */
import { snapDown, snapUp } from "./grid.js";

const LOWEST = 0;
const HIGHEST = 127;

export class Selection {
  /**
   * @param {{partIds: string[], endTick: number, boxes?: Box[], kept?: KeptNote[], hidden?: Iterable<number>, change?: string[]}} fields
   */
  constructor({ partIds, endTick, boxes = [], kept = [], hidden = [], change = ["notes"] }) {
    this.partIds = partIds;
    this.endTick = endTick;
    this.boxes = canonical(boxes.flatMap((box) => expanded(box, partIds.length)));
    this.kept = unique(kept);
    this.hidden = new Set(hidden);
    this.change = change;
    this.keptKeys = new Set(this.kept.map(keyOf));
    Object.freeze(this);
  }

  /** Nothing marked yet in this score. */
  static empty(score) {
    return new Selection({ partIds: score.parts.map((part) => part.id), endTick: score.endTick });
  }

  /** From hub.Region's JSON, in any of its units; parts the score lacks are left out. */
  static fromJSON(json, score) {
    const empty = Selection.empty(score);
    const index = new Map(empty.partIds.map((id, position) => [id, position]));
    const known = (part) => part === null || part === undefined || index.has(part);
    const boxes = (json.boxes ?? []).filter((box) => known(box.part)).map((box) => boxFrom(box, score, index));
    const kept = (json.keep ?? [])
      .filter(([part]) => index.has(part))
      .map(([part, onset, pitch]) => ({ part: index.get(part), onset, pitch }));
    const hidden = (json.hide ?? [])
      .filter((box) => known(box.part))
      .flatMap((box) => (index.has(box.part) ? [index.get(box.part)] : [...empty.partIds.keys()]));
    return empty.with({ boxes, kept, hidden, change: json.change ?? ["notes"] });
  }

  /** @param {Partial<{boxes: Box[], kept: KeptNote[], hidden: Iterable<number>, change: string[]}>} fields */
  with(fields) {
    const { partIds, endTick, boxes, kept, hidden, change } = this;
    return new Selection({ partIds, endTick, boxes, kept, hidden, change, ...fields });
  }

  /** The same selection for another revision of the score (its parts by id). */
  for(score) {
    const partIds = score.parts.map((part) => part.id);
    if (partIds.length === this.partIds.length && partIds.every((id, i) => id === this.partIds[i])) {
      return new Selection({ ...this, partIds, endTick: score.endTick });
    }
    return Selection.fromJSON(this.toJSON(), score);
  }

  get isEmpty() {
    return this.boxes.length === 0;
  }

  /** [first tick, last tick) over all boxes, or null. */
  get span() {
    if (this.isEmpty) return null;
    const starts = this.boxes.map((box) => box.startTick);
    const ends = this.boxes.map((box) => box.endTick);
    return [Math.min(...starts), Math.max(...ends)];
  }

  /** Indexes of the parts it touches, ascending. */
  get partIndexes() {
    return [...new Set(this.boxes.map((box) => box.partIndex))].sort((a, b) => a - b);
  }

  /** @param {...Box} boxes */
  add(...boxes) {
    return this.with({ boxes: [...this.boxes, ...boxes] });
  }

  subtract(...boxes) {
    const taken = boxes.flatMap((box) => expanded(box, this.partIds.length));
    return this.with({ boxes: combined(this.boxes, taken, (inside, isTaken) => inside && !isTaken) });
  }

  /** What is inside goes out, what is outside comes in. */
  toggle(...boxes) {
    const flipped = boxes.flatMap((box) => expanded(box, this.partIds.length));
    return this.with({ boxes: combined(this.boxes, flipped, (inside, isFlipped) => inside !== isFlipped) });
  }

  replacedBy(...boxes) {
    return this.with({ boxes });
  }

  cleared() {
    return this.with({ boxes: [] });
  }

  /** Every box grown to whole units. */
  snap(unit, score) {
    const boxes = this.boxes.map((box) => ({
      ...box,
      startTick: snapDown(score, box.startTick, unit),
      endTick: snapUp(score, box.endTick, unit),
    }));
    return this.with({ boxes });
  }

  /** Is the note in a box? Kept notes are: `includes` says whether it may change. */
  covers({ part, onset, pitch }) {
    return this.boxes.some(
      (box) => box.partIndex === part && box.startTick <= onset && onset < box.endTick && box.low <= pitch && pitch <= box.high,
    );
  }

  /** The membership rule of hub/region.py. */
  includes(note) {
    return this.covers(note) && !this.keeps(note);
  }

  keeps(note) {
    return this.keptKeys.has(keyOf(note));
  }

  /** @param {KeptNote[]} notes all kept already: let go; else: keep them all */
  toggleKept(notes) {
    const keys = new Set(notes.map(keyOf));
    const rest = this.kept.filter((note) => !keys.has(keyOf(note)));
    const allKept = notes.every((note) => this.keeps(note));
    return this.with({ kept: allKept ? rest : [...rest, ...notes.map(({ part, onset, pitch }) => ({ part, onset, pitch }))] });
  }

  withHidden(partIndex, isHidden) {
    const hidden = new Set(this.hidden);
    if (isHidden) hidden.add(partIndex);
    else hidden.delete(partIndex);
    return this.with({ hidden });
  }

  equals(other) {
    return JSON.stringify(this) === JSON.stringify(other);
  }

  /** hub.Region's JSON, resolved: ticks and part ids. An empty selection has no region: no boxes. */
  toJSON() {
    return {
      boxes: this.boxes.map((box) => boxToJSON(box, this.partIds)),
      keep: this.kept.map(({ part, onset, pitch }) => [this.partIds[part], onset, pitch]),
      change: [...this.change].sort(),
      hide: [...this.hidden].sort((a, b) => a - b).map((partIndex) =>
        boxToJSON({ partIndex, startTick: 0, endTick: Math.max(1, this.endTick), low: LOWEST, high: HIGHEST }, this.partIds),
      ),
    };
  }
}

function boxToJSON(box, partIds) {
  return {
    start: box.startTick, end: box.endTick, unit: "ticks", part: partIds[box.partIndex], low: box.low, high: box.high,
  };
}

function boxFrom(box, score, index) {
  const tick = (value) => {
    if (box.unit === "ticks") return Math.trunc(value);
    return box.unit === "quarters" ? Math.round(value * score.ticksPerQuarter) : score.measureStart(value);
  };
  return {
    partIndex: box.part === null || box.part === undefined ? null : index.get(box.part),
    startTick: tick(box.start), endTick: tick(box.end), low: box.low ?? LOWEST, high: box.high ?? HIGHEST,
  };
}

function keyOf({ part, onset, pitch }) {
  return `${part}:${onset}:${pitch}`;
}

function unique(notes) {
  return [...new Map(notes.map((note) => [keyOf(note), note])).values()];
}

function expanded(box, partCount) {
  const whole = { ...box, low: box.low ?? LOWEST, high: box.high ?? HIGHEST };
  if (whole.partIndex !== null && whole.partIndex !== undefined) return [whole];
  return Array.from({ length: partCount }, (_, partIndex) => ({ ...whole, partIndex }));
}

function canonical(boxes) {
  return combined(boxes, [], (inside) => inside);
}

/** Boxes of all places for which `rule(inFirst, inSecond)` holds, part by part. */
function combined(first, second, rule) {
  const parts = new Set([...first, ...second].map((box) => box.partIndex));
  return [...parts].sort((a, b) => a - b).flatMap((partIndex) => {
    const mine = (boxes) => boxes.filter((box) => box.partIndex === partIndex && box.startTick < box.endTick);
    return slabs(mine(first), mine(second), rule).map((box) => ({ partIndex, ...box }));
  });
}

function slabs(first, second, rule) {
  const edges = [...new Set([...first, ...second].flatMap((box) => [box.startTick, box.endTick]))].sort((a, b) => a - b);
  let open = [];
  const done = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const ranges = pitchRanges(covering(first, edges[i]), covering(second, edges[i]), rule);
    const same = open.length === ranges.length && ranges.every(([low, high], k) => open[k].low === low && open[k].high === high);
    if (same) open.forEach((box) => (box.endTick = edges[i + 1]));
    else {
      open = ranges.map(([low, high]) => ({ startTick: edges[i], endTick: edges[i + 1], low, high }));
      done.push(...open);
    }
  }
  return done;
}

function covering(boxes, tick) {
  return boxes.filter((box) => box.startTick <= tick && tick < box.endTick);
}

/** Inclusive ranges of pitch for which the rule holds. */
function pitchRanges(first, second, rule) {
  const edges = [...new Set([...first, ...second].flatMap((box) => [box.low, box.high + 1]))].sort((a, b) => a - b);
  const ranges = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const has = (boxes) => boxes.some((box) => box.low <= edges[i] && edges[i] <= box.high);
    if (!rule(has(first), has(second))) continue;
    const last = ranges[ranges.length - 1];
    if (last && last[1] === edges[i] - 1) last[1] = edges[i + 1] - 1;
    else ranges.push([edges[i], edges[i + 1] - 1]);
  }
  return ranges;
}
