/**
 * Pointer and wheel on the stage. One pointer works with the tool, two fingers scroll and zoom.
 * Each gesture is an object with `move(event)` and `end(event)`; the roll is asked to do the rest.
 */
import { KEYS, RULER } from "./view.js";
import { boxesOfDrag, changedSelection, howOf, pinch, snappedShift } from "./drags.js";
import { louder, moved, stretched } from "./edits.js";
import { hitTest, notesIn } from "./hit.js";

const CLICK_PIXELS = 4;
const FINGER_REACH = 9;
const DOUBLE_MILLISECONDS = 350;
const EDGE_PIXELS = 28;
const PIXELS_A_VELOCITY = 0.8;

export class Gestures {
  constructor(stage, roll) {
    this.stage = stage;
    this.roll = roll;
    this.pointers = new Map();
    this.gesture = null;
    this.lastClick = { time: 0, x: 0, y: 0 };
    const listen = (type, run, options) => stage.addEventListener(type, run, options);
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    listen("pointerup", (event) => this.up(event));
    listen("pointercancel", (event) => this.cancel(event));
    listen("wheel", (event) => this.wheel(event), { passive: false });
    listen("contextmenu", (event) => this.gesture && event.preventDefault());
  }

  /** Stage pixels of an event, and what is there. */
  point(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, reach: event.pointerType === "touch" ? FINGER_REACH : 0 };
  }

  hit({ x, y, reach }) {
    return hitTest(this.roll.view, this.roll.score, x, y, reach);
  }

  down(event) {
    if (event.button > 0 || !this.roll.score.parts.length) return;
    this.stage.focus({ preventScroll: true });
    const point = this.point(event);
    this.pointers.set(event.pointerId, point);
    if (this.pointers.size === 2) return this.startPinch();
    if (this.pointers.size > 2) return;
    capture(this.stage, event.pointerId);
    this.start = { ...point, event };
    this.isDrag = false;
    this.gesture = this.begin(point, this.hit(point), event);
  }

  move(event) {
    const point = this.point(event);
    if (!this.pointers.has(event.pointerId)) return this.hover(point);
    const before = [...this.pointers.values()];
    this.pointers.set(event.pointerId, point);
    if (this.pinching) return this.pinch(before);
    if (!this.gesture) return;
    this.isDrag ||= Math.hypot(point.x - this.start.x, point.y - this.start.y) > CLICK_PIXELS + point.reach / 2;
    if (!this.isDrag) return;
    this.latest = { point, event };
    this.gesture.drag?.(point, event);
    this.scrollAtEdges();
  }

  up(event) {
    const point = this.point(event);
    this.pointers.delete(event.pointerId);
    if (this.pinching) {
      if (!this.pointers.size) this.pinching = false;
      return;
    }
    const gesture = this.gesture;
    this.stop();
    if (!gesture) return;
    if (this.isDrag) return gesture.drop?.(point, event);
    const isDouble = event.timeStamp - this.lastClick.time < DOUBLE_MILLISECONDS && Math.hypot(point.x - this.lastClick.x, point.y - this.lastClick.y) < 12;
    this.lastClick = { time: isDouble ? 0 : event.timeStamp, x: point.x, y: point.y };
    gesture.click?.(point, event, isDouble);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.pinching = false;
    this.stop();
    this.roll.dropDraft();
  }

  stop() {
    this.gesture = null;
    this.latest = null;
    cancelAnimationFrame(this.edgeFrame);
    this.edgeFrame = 0;
  }

  /** Another score has come: a drag that holds notes of the old one would change the wrong ones. */
  letGoOfNotes() {
    if (this.gesture?.holdsNotes) this.stop();
  }

  /** Two fingers: whatever one finger had begun did not happen. */
  startPinch() {
    this.stop();
    this.roll.dropDraft();
    this.pinching = true;
  }

  pinch(before) {
    const now = [...this.pointers.values()];
    if (before.length < 2 || now.length < 2) return;
    const { timeFactor, rowFactor, at, dx, dy } = pinch(before, now);
    this.roll.scrollBy(-dx, -dy);
    if (timeFactor !== 1) this.roll.zoomTime(timeFactor, at.x);
    this.rowZoom = (this.rowZoom ?? 1) * rowFactor;
    if (Math.abs(Math.log(this.rowZoom)) > 0.12) {
      this.roll.zoomRows(this.rowZoom, at.y);
      this.rowZoom = 1;
    }
  }

  wheel(event) {
    const unit = event.deltaMode === 1 ? 30 : 1;
    const { x, y } = this.point(event);
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const factor = Math.exp((-event.deltaY * unit) / 300);
      if (event.shiftKey) this.roll.zoomRows(factor, y);
      else this.roll.zoomTime(factor, x);
      return;
    }
    const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    const down = event.shiftKey ? 0 : event.deltaY;
    // What cannot scroll any further here scrolls the page.
    if (this.roll.scrollBy(across * unit, down * unit)) event.preventDefault();
  }

  hover(point) {
    const { area, side } = this.hit(point);
    this.stage.style.cursor = cursorFor(area, side, this.roll.tool);
  }

  /** A drag near the border takes the view along. */
  scrollAtEdges() {
    if (this.edgeFrame || !this.gesture?.scrolls) return;
    const step = () => {
      this.edgeFrame = 0;
      if (!this.latest) return;
      const { point, event } = this.latest;
      const { width, height } = this.roll.view;
      const push = (value, low, high) => (value < low ? value - low : Math.max(0, value - high)) / 2;
      const dx = push(point.x, KEYS + EDGE_PIXELS / 2, width - EDGE_PIXELS);
      const dy = this.start.y < RULER ? 0 : push(point.y, RULER, height - EDGE_PIXELS / 2);
      if (!dx && !dy) return;
      if (!this.roll.scrollBy(dx, dy)) return;
      this.gesture.drag(point, event);
      this.edgeFrame = requestAnimationFrame(step);
    };
    this.edgeFrame = requestAnimationFrame(step);
  }

  begin(point, hit, event) {
    if (hit.area === "keys") return audition(this.roll, hit);
    if (hit.area === "ruler") return this.beginSelect(hit, event, true);
    if (hit.area !== "lane") return null;
    this.roll.setActivePart(hit.lane.partIndex ?? this.roll.activePart);
    if (this.roll.tool === "select") return this.beginSelect(hit, event, false);
    if (this.roll.tool === "lock") return this.beginLock(hit, point);
    return hit.note >= 0 ? this.beginNote(hit, point, event) : this.beginEmpty(hit, point, event);
  }

  /** The place of a point for marking: of the nearest lane, if it has left them. */
  place({ x, y }) {
    const { view, activePart } = this.roll;
    const lane = view.laneAt(y) ?? view.nearestLane(y);
    return { part: lane.partIndex ?? activePart, tick: view.tick(x), pitch: view.pitch(lane, y) };
  }

  beginSelect(hit, event, allParts) {
    const { roll } = this;
    const anchor = this.place(this.start);
    const before = roll.selection;
    const how = howOf(event);
    const byPitch = roll.byPitch !== (event.ctrlKey || event.metaKey);
    const marked = (point) => boxesOfDrag(roll.limits, anchor, this.place(point), { grid: roll.gridTicks, byPitch, allParts });
    return {
      scrolls: true,
      drag: (point) => roll.previewSelection(changedSelection(before, marked(point), how)),
      drop: (point) => roll.commitSelection(changedSelection(before, marked(point), how)),
      click: (point, _event, isDouble) => {
        if (allParts) return roll.seek(hit.tick);
        roll.moveCursor({ tick: hit.tick, part: anchor.part, pitch: anchor.pitch });
        const isUnit = isDouble || roll.limits.accepts.unit === "measure";
        const boxes = isUnit ? roll.measureBoxes(hit.tick, anchor.part) : [];
        if (boxes.length || how === "replace") roll.commitSelection(changedSelection(before, boxes, how === "add" && !isDouble ? "toggle" : how));
      },
    };
  }

  beginLock(hit, point) {
    const { roll } = this;
    const found = (to) => notesIn(roll.view, roll.score, bandOf(point, to));
    return {
      holdsNotes: hit.note >= 0,
      drag: (to) => roll.setBand(bandOf(point, to)),
      drop: (to) => {
        roll.setBand(null);
        roll.toggleKept(found(to));
      },
      click: () => hit.note >= 0 && roll.toggleKept([hit.note]),
    };
  }

  beginNote(hit, point, event) {
    const { roll } = this;
    const wasChosen = roll.chosen.has(hit.note);
    if (!wasChosen) roll.choose(event.shiftKey ? [...roll.chosen, hit.note] : [hit.note]);
    const indexes = [...roll.chosen];
    const notes = indexes.map((index) => roll.score.note(index));
    const change = this.noteChange(hit, point, event, notes);
    audition(roll, { lane: { partIndex: roll.score.notes.part[hit.note] }, pitch: roll.score.notes.pitch[hit.note] });
    return {
      scrolls: true,
      holdsNotes: true,
      drag: (to, now) => roll.previewNotes(indexes, change(to, now)),
      drop: (to, now) => roll.replaceNotes(indexes, change(to, now)),
      click: (_to, _now, isDouble) => {
        if (isDouble) return roll.removeNotes([hit.note]);
        if (event.shiftKey && wasChosen) roll.choose(indexes.filter((index) => index !== hit.note));
        else if (!event.shiftKey) roll.choose([hit.note]);
      },
    };
  }

  /** From where the pointer is now to the changed notes. */
  noteChange(hit, point, event, notes) {
    const { roll } = this;
    const { view, score } = roll;
    const grabbed = score.note(hit.note);
    const firstTick = view.tick(point.x);
    if (event.altKey) return (to) => louder(notes, (point.y - to.y) * PIXELS_A_VELOCITY);
    if (hit.side === "body") {
      return (to, now) => {
        const ticks = now.shiftKey && Math.abs(to.x - point.x) < 12 ? 0 : snappedShift(score, grabbed.onset, view.tick(to.x) - firstTick, roll.gridTicks);
        return moved(notes, ticks, Math.round((point.y - to.y) / view.rowHeight));
      };
    }
    const edge = hit.side === "left" ? grabbed.onset : grabbed.onset + grabbed.duration;
    return (to) => stretched(notes, hit.side, snappedShift(score, edge, view.tick(to.x) - firstTick, roll.gridTicks), roll.gridTicks);
  }

  beginEmpty(hit, point, event) {
    const { roll } = this;
    const part = hit.lane.partIndex ?? roll.activePart;
    const before = event.shiftKey ? [...roll.chosen] : [];
    const drawn = (to) => roll.noteAt(part, hit.pitch, hit.tick, to ? roll.view.tick(to.x) : null);
    if (event.ctrlKey || event.metaKey) {
      return {
        scrolls: true,
        drag: (to) => roll.previewNotes([], [drawn(to)]),
        drop: (to) => roll.replaceNotes([], [drawn(to)]),
        click: () => roll.replaceNotes([], [drawn(null)]),
      };
    }
    return {
      drag: (to) => roll.setBand(bandOf(point, to)),
      drop: (to) => {
        roll.setBand(null);
        roll.choose([...before, ...notesIn(roll.view, roll.score, bandOf(point, to))]);
      },
      click: () => {
        roll.moveCursor({ tick: hit.tick, part, pitch: hit.pitch });
        if (roll.chosen.size) roll.choose([]);
        else roll.replaceNotes([], [drawn(null)]);
      },
    };
  }
}

function audition(roll, { lane, pitch }) {
  roll.emit("audition", { part: lane.partIndex ?? roll.activePart, pitch, velocity: roll.velocity });
  return { click: () => {} };
}

function bandOf(from, to) {
  return {
    left: Math.max(KEYS, Math.min(from.x, to.x)), right: Math.max(from.x, to.x),
    top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y),
  };
}

function cursorFor(area, side, tool) {
  if (area === "ruler") return "text";
  if (area === "keys") return "pointer";
  if (area !== "lane") return "default";
  if (tool === "select") return "crosshair";
  if (tool === "lock") return side ? "pointer" : "crosshair";
  if (side === "left" || side === "right") return "ew-resize";
  return side === "body" ? "grab" : "cell";
}

/** A pointer that is gone already (a synthetic one) cannot be captured, and need not be. */
function capture(stage, pointerId) {
  try {
    stage.setPointerCapture(pointerId);
  } catch {
    // the drag then lasts as long as it stays on the stage
  }
}
