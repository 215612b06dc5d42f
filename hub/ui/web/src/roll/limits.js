/**
 * What a model's card allows to be marked (hub.Accepts as JSON), for greying out, for snapping a
 * drag, and in words. The server has the last word (hub/accepts.py); this keeps people from asking
 * in vain.
 *
 * @typedef {{parts?: [number, number], drums?: "no"|"yes"|"only", meters?: string[], unit?: "measure"|"beat"|"tick",
 *     least?: number, most?: number|null, pitch?: [number, number], beyond_end?: boolean, usable?: string[]}} Accepts
 *     `usable`: ids of the parts that the server found usable; absent: decided by `drums` alone
 */
import { nextLine, snapDown, snapUp } from "../grid.js";

const ANYTHING = { parts: [1, Infinity], drums: "yes", meters: [], unit: "tick", least: 1, most: null, pitch: [0, 127], beyond_end: false };
const BEYOND_MEASURES = 8;

export class Limits {
  /** @param {Accepts|null} accepts null: anything goes */
  constructor(accepts, score) {
    this.accepts = { ...ANYTHING, ...accepts };
    this.score = score;
    this.allowedParts = score.parts.map((part) => this.takes(part));
  }

  takes(part) {
    const { drums, usable } = this.accepts;
    if (usable && !usable.includes(part.id)) return false;
    return part.isDrums ? drums !== "no" : drums !== "only";
  }

  allowsPart(partIndex) {
    return this.allowedParts[partIndex] ?? false;
  }

  /** Of the meters that the card names, and whole. */
  allowsMeasure(index) {
    const { meters } = this.accepts;
    if (index >= this.score.measureCount) return this.accepts.beyond_end;
    if (!meters.length) return true;
    const [beats, beatType] = this.score.meterOf(index);
    const isWhole = this.score.measures.length[index] * beatType === beats * 4 * this.score.ticksPerQuarter;
    return isWhole && meters.includes(this.score.measures.meter[index]);
  }

  allowsPitch(pitch) {
    return pitch >= this.accepts.pitch[0] && pitch <= this.accepts.pitch[1];
  }

  /** The last tick that may be marked. */
  get endTick() {
    const { measureCount } = this.score;
    if (!this.accepts.beyond_end) return this.score.measureStart(measureCount);
    return this.score.measureStart(measureCount + Math.min(BEYOND_MEASURES, this.accepts.most ?? BEYOND_MEASURES));
  }

  /** What a drag in ticks snaps to when any tick is allowed: the grid of the page. */
  step(grid) {
    return this.accepts.unit === "tick" ? grid : this.accepts.unit;
  }

  /**
   * The span of a drag from `anchor` to `head`: whole units, no longer than the card allows (counted
   * from the anchor), no shorter.
   * @returns {[number, number]}
   */
  fit(anchor, head, grid = "tick") {
    const step = this.step(grid);
    const forward = head >= anchor;
    const place = (tick) => Math.max(0, Math.min(this.endTick - 1, tick));
    let start = snapDown(this.score, place(Math.min(anchor, head)), step);
    let end = Math.min(this.endTick, snapUp(this.score, place(Math.max(anchor, head)) + (this.accepts.unit === "tick" ? 0 : 1), step));
    if (end <= start) end = nextLine(this.score, start, step);
    const { least, most } = this.accepts;
    if (most && this.accepts.unit === "tick" && end - start > most) {
      if (forward) end = start + most;
      else start = end - most;
    }
    while (most && this.length(start, end) > most && end > start) {
      if (forward) end = snapDown(this.score, end - 1, step);
      else start = nextLine(this.score, start, step);
    }
    while (this.length(start, end) < least && end < this.endTick) end = Math.min(this.endTick, nextLine(this.score, end, step));
    while (this.length(start, end) < least && start > 0) start = snapDown(this.score, start - 1, step);
    return [start, end];
  }

  /** Parts between two, the anchor's first, that may be marked together. */
  fitParts(anchor, head) {
    const direction = head >= anchor ? 1 : -1;
    const between = Array.from({ length: Math.abs(head - anchor) + 1 }, (_, i) => anchor + i * direction);
    return between.filter((part) => this.allowsPart(part)).slice(0, this.accepts.parts[1]);
  }

  /** As hub/accepts.py counts: begun units; a beat there is a quarter. */
  length(start, end) {
    if (end <= start) return 0;
    if (this.accepts.unit === "tick") return end - start;
    if (this.accepts.unit === "beat") return Math.ceil((end - start) / this.score.ticksPerQuarter);
    return this.score.measureIndexBeyond(end - 1) - this.score.measureIndexBeyond(start) + 1;
  }

  /** Why this selection would be refused, in words for the person who made it; "" when it fits. */
  problem(selection) {
    if (selection.isEmpty) return "";
    const parts = selection.partIndexes;
    const [fewest, mostParts] = this.accepts.parts;
    if (parts.length < fewest) return `This model rewrites at least ${counted(fewest, "part")} at a time.`;
    if (parts.length > mostParts) return `This model rewrites at most ${counted(mostParts, "part")} at a time.`;
    const banned = parts.find((part) => !this.allowsPart(part));
    if (banned !== undefined) return `This model does not write the part ${this.score.parts[banned].name}.`;
    return parts.map((part) => this.lengthProblem(selection, part) || this.meterProblem(selection, part)).find(Boolean) ?? "";
  }

  lengthProblem(selection, part) {
    const { least, most, unit } = this.accepts;
    const length = spans(selection, part).reduce((sum, [start, end]) => sum + this.length(start, end), 0);
    if (length < least) return `This model rewrites at least ${counted(least, unit)} of a part at a time.`;
    return most && length > most ? `This model rewrites at most ${counted(most, unit)} of a part at a time.` : "";
  }

  meterProblem(selection, part) {
    for (const [start, end] of spans(selection, part)) {
      for (let i = this.score.measureIndexBeyond(start); i <= this.score.measureIndexBeyond(end - 1); i++) {
        if (this.allowsMeasure(i)) continue;
        if (i >= this.score.measureCount) return "This model does not go on after the end.";
        return `This model does not write measure ${this.score.measures.number[i]}: its meter is not one of ${this.accepts.meters.join(", ")}, or it is not whole.`;
      }
    }
    return "";
  }
}

function spans(selection, part) {
  const merged = [];
  for (const { partIndex, startTick, endTick } of selection.boxes) {
    if (partIndex !== part) continue;
    const last = merged[merged.length - 1];
    if (last && startTick <= last[1]) last[1] = Math.max(last[1], endTick);
    else merged.push([startTick, endTick]);
  }
  return merged;
}

function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
