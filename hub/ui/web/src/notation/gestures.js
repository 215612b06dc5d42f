/**
 * Mouse, touch and keyboard → a rectangle of measures × parts. A finger that moves scrolls; one
 * that rests first, or a tap, selects.
 */

const REST_MS = 350;
const SLOP = 8; // pixels a finger may tremble
const EDGE = 36; // pixels from the edge where dragging scrolls

/** @typedef {{measure: number, part: number, tick: number}} Place */

export class Drags {
  /**
   * @param {HTMLElement} scroll
   * @param {{placeAt: (clientX: number, clientY: number) => Place|null,
   *     onDrag: (from: Place, to: Place, event: PointerEvent) => void, onEnd: () => void,
   *     onCancel: () => void, onSeek: (place: Place) => void}} view
   */
  constructor(scroll, view) {
    this.scroll = scroll;
    this.view = view;
    this.from = null;
    this.pointer = null;
    scroll.addEventListener("pointerdown", (event) => this.down(event));
    scroll.addEventListener("pointermove", (event) => this.move(event));
    scroll.addEventListener("pointerup", (event) => this.up(event));
    scroll.addEventListener("pointercancel", () => this.cancel());
    scroll.addEventListener("dblclick", (event) => {
      const place = view.placeAt(event.clientX, event.clientY);
      if (place) view.onSeek(place);
    });
    // Once a finger selects, the page must not scroll under it.
    scroll.addEventListener("touchmove", (event) => this.from && event.preventDefault(), { passive: false });
    scroll.addEventListener("contextmenu", (event) => this.pointer?.isTouch && event.preventDefault());
  }

  down(event) {
    if (event.button !== 0 || this.pointer || onScrollbar(event, this.scroll)) return;
    this.scroll.focus({ preventScroll: true });
    const isTouch = event.pointerType === "touch";
    this.pointer = { id: event.pointerId, x: event.clientX, y: event.clientY, event, isTouch };
    if (isTouch) this.rest = setTimeout(() => this.begin(event), REST_MS);
    else this.begin(event);
  }

  begin(event) {
    const place = this.view.placeAt(event.clientX, event.clientY);
    if (!place) return;
    this.from = place;
    try {
      this.scroll.setPointerCapture(event.pointerId);
    } catch {
      // The pointer has gone meanwhile.
    }
    this.view.onDrag(place, place, event);
  }

  move(event) {
    if (!this.pointer || event.pointerId !== this.pointer.id) return;
    const far = Math.hypot(event.clientX - this.pointer.x, event.clientY - this.pointer.y);
    if (!this.from) {
      if (far > SLOP) this.cancel();
      return;
    }
    this.pointer.event = event;
    this.reach(event);
    this.scrollAtEdge(event);
  }

  reach(event) {
    const place = this.view.placeAt(event.clientX, event.clientY);
    if (place && this.from) this.view.onDrag(this.from, place, event);
  }

  up(event) {
    if (!this.pointer || event.pointerId !== this.pointer.id) return;
    const isTap = this.pointer.isTouch && !this.from;
    if (isTap) this.begin(event);
    const hasSelected = this.from !== null;
    this.stop();
    if (hasSelected) this.view.onEnd();
  }

  cancel() {
    const wasSelecting = this.from !== null;
    this.stop();
    if (wasSelecting) this.view.onCancel();
  }

  stop() {
    clearTimeout(this.rest);
    cancelAnimationFrame(this.scrolling);
    this.scrolling = 0;
    this.from = null;
    this.pointer = null;
  }

  /** While the pointer rests near an edge the music moves on under it. */
  scrollAtEdge(event) {
    const box = this.scroll.getBoundingClientRect();
    const pull = (value, low, high) => (value < low + EDGE ? -1 : value > high - EDGE ? 1 : 0);
    const dx = pull(event.clientX, box.left, box.right);
    const dy = pull(event.clientY, box.top, box.bottom);
    cancelAnimationFrame(this.scrolling);
    if (!dx && !dy) return;
    this.scrolling = requestAnimationFrame(() => {
      this.scroll.scrollBy(dx * 12, dy * 12);
      if (!this.from) return;
      this.reach(this.pointer.event);
      this.scrollAtEdge(this.pointer.event);
    });
  }
}

function onScrollbar(event, scroll) {
  const box = scroll.getBoundingClientRect();
  return event.clientX >= box.left + scroll.clientWidth || event.clientY >= box.top + scroll.clientHeight;
}

/**
 * Where a key leads from a cell. Pure.
 * @param {{measure: number, part: number}} from
 * @param {{measures: number, parts: number[]}} size
 * @returns {{measure: number, part: number}|null} null: not a key that moves
 */
export function moved(key, from, { measures, parts }) {
  const row = parts.indexOf(from.part);
  const steps = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    PageUp: [-8, 0], PageDown: [8, 0], Home: [-measures, 0], End: [measures, 0],
  };
  if (!steps[key]) return null;
  const [across, down] = steps[key];
  return {
    measure: Math.min(measures - 1, Math.max(0, from.measure + across)),
    part: parts[Math.min(parts.length - 1, Math.max(0, row + down))],
  };
}
