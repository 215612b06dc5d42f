/** Which measures make a page, where pages lie, and which of them an edit touches. Pure. */

import { lowerBound, upperBound } from "../score.js";

const STAVES_A_PAGE = 40; // times measures: about 20 ms to load and as many to draw
const SIZES = [16, 8, 4, 2];

/**
 * @typedef {{first: number, count: number}} PageSpan
 * @returns {PageSpan[]} pages of equal length; fewer measures where there are many parts
 */
export function pagesOf(measureCount, partCount) {
  const size = SIZES.find((each) => each * partCount <= STAVES_A_PAGE) ?? SIZES.at(-1);
  const pages = [];
  for (let first = 0; first < measureCount; first += size) {
    pages.push({ first, count: Math.min(size, measureCount - first) });
  }
  return pages;
}

/** Sizes along the direction of reading, estimated until they are known. */
export class Strip {
  /** @param {number[]} sizes */
  constructor(sizes) {
    this.sizes = [...sizes];
    this.starts = null;
  }

  get offsets() {
    if (!this.starts) {
      this.starts = new Float64Array(this.sizes.length + 1);
      for (let i = 0; i < this.sizes.length; i++) this.starts[i + 1] = this.starts[i] + this.sizes[i];
    }
    return this.starts;
  }

  get total() {
    return this.offsets[this.sizes.length];
  }

  /** @returns {number} by how much everything behind it moves */
  resize(index, size) {
    const moved = size - this.sizes[index];
    if (moved) {
      this.sizes[index] = size;
      this.starts = null;
    }
    return moved;
  }

  /** Index of the page at an offset; the nearest one beyond the ends. */
  at(offset) {
    const place = upperBound(this.offsets, offset) - 1;
    return Math.min(Math.max(0, place), this.sizes.length - 1);
  }

  /** Indexes [first, last) of what touches [start, end). */
  range(start, end) {
    if (!this.sizes.length) return [0, 0];
    return [this.at(start), this.at(Math.max(start, end - 1e-6)) + 1];
  }
}

/** Index of the page that holds a measure. */
export function pageOf(pages, measure) {
  const place = upperBound(pages.map((page) => page.first), measure) - 1;
  return Math.min(Math.max(0, place), pages.length - 1);
}

/**
 * Indexes of the measures that look different in another revision, or null: all of them.
 * @param {import("../score.js").Score} before
 * @param {import("../score.js").Score} after
 * @returns {Set<number>|null}
 */
export function changedMeasures(before, after) {
  if (!isSameFrame(before, after)) return null;
  const changed = new Set();
  const mark = (score, index) => {
    const start = score.notes.onset[index];
    const last = score.measureAt(start + score.notes.duration[index] - 1);
    for (let measure = score.measureAt(start); measure <= last; measure++) changed.add(measure);
  };
  const [a, b] = [before.notes, after.notes];
  let [i, j] = [0, 0];
  while (i < a.count || j < b.count) {
    const order = i >= a.count ? 1 : j >= b.count ? -1 : compare(a, i, b, j);
    if (order < 0) mark(before, i++);
    else if (order > 0) mark(after, j++);
    else if (a.duration[i] === b.duration[j] && a.voice[i] === b.voice[j]) (i++, j++);
    else (mark(before, i++), mark(after, j++));
  }
  return changed;
}

/** Do both have the same parts, measures and keys, so that only notes can differ? */
function isSameFrame(before, after) {
  if (before === after) return true;
  const frame = ({ parts, measures, keys, ticksPerQuarter, tempos }) => [parts, measures, keys, ticksPerQuarter, tempos];
  return JSON.stringify(frame(before)) === JSON.stringify(frame(after));
}

const compare = (a, i, b, j) =>
  a.onset[i] - b.onset[j] || a.part[i] - b.part[j] || a.pitch[i] - b.pitch[j];

/**
 * Index of a note by what it is, in any revision; -1 where it is gone. Of equal ones the first.
 * @param {import("../score.js").Score} score
 */
export function findNote(score, { part, onset, pitch }) {
  const { notes } = score;
  const first = lowerBound(notes.onset, onset);
  for (let index = first; index < notes.count && notes.onset[index] === onset; index++) {
    if (notes.part[index] === part && notes.pitch[index] === pitch) return index;
  }
  return -1;
}
