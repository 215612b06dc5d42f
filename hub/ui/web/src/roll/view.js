/**
 * From ticks and pitches to pixels and back: what of the score the stage shows. Mutable; knows no DOM.
 * Stage pixels count from the top left of the stage, ruler and keyboard included.
 */
import { lanesHeight } from "./lanes.js";

export const RULER = 26;
export const KEYS = 40;
const LEAST_ROW = 3;
const MOST_ROW = 28;
const MOST_PIXELS_PER_QUARTER = 480;

export class View {
  constructor({ width = 800, height = 400, endTick = 1920, ticksPerQuarter = 480, lanes = [], rowHeight = 8 } = {}) {
    Object.assign(this, { width, height, endTick, ticksPerQuarter, lanes, rowHeight });
    this.scrollTick = 0;
    this.scrollY = 0;
    this.pixelsPerTick = 0.05;
  }

  /** Pixels for time, right of the keyboard. */
  get contentWidth() {
    return Math.max(1, this.width - KEYS);
  }

  get contentHeight() {
    return Math.max(1, this.height - RULER);
  }

  get visibleTicks() {
    return this.contentWidth / this.pixelsPerTick;
  }

  /** [first, last) tick that is visible, in whole ticks. */
  get span() {
    return [Math.floor(this.scrollTick), Math.ceil(this.scrollTick + this.visibleTicks)];
  }

  get leastPixelsPerTick() {
    return this.contentWidth / Math.max(1, this.endTick);
  }

  x(tick) {
    return KEYS + (tick - this.scrollTick) * this.pixelsPerTick;
  }

  tick(x) {
    return this.scrollTick + (x - KEYS) / this.pixelsPerTick;
  }

  laneTop(lane) {
    return RULER + lane.top - this.scrollY;
  }

  /** Top of a pitch's row. */
  y(lane, pitch) {
    return this.laneTop(lane) + lane.header + (lane.high - pitch) * this.rowHeight;
  }

  /** The pitch at a height, within the lane's range. */
  pitch(lane, y) {
    const row = Math.floor((y - this.laneTop(lane) - lane.header) / this.rowHeight);
    return Math.max(lane.low, Math.min(lane.high, lane.high - row));
  }

  /** The lane at a height; null between lanes. */
  laneAt(y) {
    return this.lanes.find((lane) => y >= this.laneTop(lane) && y < this.laneTop(lane) + lane.height) ?? null;
  }

  /** The lane nearest to a height: for drags that have left the lanes. */
  nearestLane(y) {
    const distance = (lane) => Math.max(this.laneTop(lane) - y, y - this.laneTop(lane) - lane.height, 0);
    return this.lanes.reduce((best, lane) => (!best || distance(lane) < distance(best) ? lane : best), null);
  }

  isLaneVisible(lane) {
    const top = this.laneTop(lane);
    return top < this.height && top + lane.height > RULER;
  }

  /** Show another place, as far as there is one. */
  scrollTo(tick, y = this.scrollY) {
    this.scrollTick = Math.max(0, Math.min(tick, this.endTick - this.visibleTicks));
    this.scrollY = Math.max(0, Math.min(y, lanesHeight(this.lanes) + 8 - this.contentHeight));
  }

  scrollBy(pixelsX, pixelsY) {
    this.scrollTo(this.scrollTick + pixelsX / this.pixelsPerTick, this.scrollY + pixelsY);
  }

  /** Make time `factor` times as wide; what is at x stays there. */
  zoomTime(factor, x = KEYS + this.contentWidth / 2) {
    const anchor = this.tick(x);
    const most = Math.max(MOST_PIXELS_PER_QUARTER / this.ticksPerQuarter, this.leastPixelsPerTick);
    this.pixelsPerTick = Math.max(this.leastPixelsPerTick, Math.min(most, this.pixelsPerTick * factor));
    this.scrollTo(anchor - (x - KEYS) / this.pixelsPerTick);
  }

  /** The height of a row after a zoom; whoever lays out the lanes sets it. */
  zoomedRow(factor) {
    const step = factor > 1 ? Math.ceil(this.rowHeight * factor) : Math.floor(this.rowHeight * factor);
    return Math.max(LEAST_ROW, Math.min(MOST_ROW, step));
  }

  fitTime() {
    this.pixelsPerTick = this.leastPixelsPerTick;
    this.scrollTo(0);
  }

  /** Bring a span into view, moving no further than needed. */
  reveal(startTick, endTick, lane = null, pitch = null) {
    const margin = Math.min(40 / this.pixelsPerTick, this.visibleTicks / 8);
    let tick = this.scrollTick;
    if (endTick > tick + this.visibleTicks - margin) tick = endTick - this.visibleTicks + margin;
    if (startTick < tick + margin) tick = startTick - margin;
    this.scrollTo(tick, lane ? this.revealedY(lane, pitch) : this.scrollY);
  }

  revealedY(lane, pitch) {
    const isWhole = pitch === null || lane.collapsed;
    const top = isWhole ? lane.top : lane.top + lane.header + (lane.high - pitch) * this.rowHeight;
    const bottom = isWhole ? lane.top + lane.height : top + this.rowHeight;
    const lowest = bottom - this.contentHeight;
    if (top < this.scrollY) return top;
    return lowest > this.scrollY ? Math.min(top, lowest) : this.scrollY;
  }
}
