/**
 * The worker's other end: pages wait here, the nearest is drawn first, and a worker that broke is
 * replaced without anybody else noticing.
 */

export class DrawingError extends Error {
  /** @param {boolean} isFatal  the notation program broke, not only refused */
  constructor(message, isFatal = false) {
    super(message);
    this.name = "DrawingError";
    this.isFatal = isFatal;
  }
}

const REFUSED = "These measures could not be drawn.";
const BROKE = "The notation program stopped at these measures and was started again.";
const NO_START = "The notation program does not start in this browser.";
const MAX_FAILED_STARTS = 3;

/** @returns {Error} as fetch and others say that nobody waits any more */
export function aborted() {
  const error = new Error("Not wanted any more.");
  error.name = "AbortError";
  return error;
}

export class Engraver {
  /**
   * @param {() => Worker} createWorker
   * @param {number} timeoutMs  after which a page is given up (and the worker with it)
   */
  constructor(createWorker, { timeoutMs = 20_000 } = {}) {
    this.createWorker = createWorker;
    this.timeoutMs = timeoutMs;
    this.waiting = [];
    this.current = null;
    this.worker = null;
    this.nextId = 1;
    this.failedStarts = 0;
    this.restarts = 0;
    this.startMs = null;
  }

  /**
   * @param {string} musicxml
   * @param {{width: number|null, zoom: number}} options
   * @param {{priority?: () => number, signal?: AbortSignal}} [more]  priority: smallest first,
   *     asked when the worker is free
   * @returns {Promise<{drawing: import("./drawing.js").Drawing, milliseconds: number}>}
   */
  draw(musicxml, options, { priority = () => 0, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      const job = { id: this.nextId++, musicxml, options, priority, resolve, reject };
      signal?.addEventListener("abort", () => this.drop(job), { once: true });
      this.waiting.push(job);
      this.next();
    });
  }

  /** A page in the worker cannot be stopped; its answer is then ignored. */
  drop(job) {
    this.waiting = this.waiting.filter((each) => each !== job);
    job.reject(aborted());
  }

  /** Start the worker before the first page is wanted. */
  warm() {
    if (this.worker || this.failedStarts >= MAX_FAILED_STARTS) return;
    const worker = this.createWorker();
    worker.onmessage = ({ data }) => this.heard(worker, data);
    worker.onerror = () => this.broke(worker, { isStart: !this.isReady });
    this.worker = worker;
    this.isReady = false;
  }

  close() {
    this.worker?.terminate();
    this.worker = null;
    clearTimeout(this.timer);
    for (const job of [...this.waiting, ...(this.current ? [this.current] : [])]) job.reject(aborted());
    this.waiting = [];
    this.current = null;
    this.failedStarts = MAX_FAILED_STARTS;
  }

  next() {
    if (this.current || !this.waiting.length) return;
    this.warm();
    if (!this.worker) return this.refuseAll();
    const job = takeNearest(this.waiting);
    this.current = job;
    const { worker } = this;
    this.timer = setTimeout(() => this.broke(worker, { isStart: false }), this.timeoutMs);
    worker.postMessage({ id: job.id, musicxml: job.musicxml, options: job.options });
  }

  refuseAll() {
    const jobs = this.waiting;
    this.waiting = [];
    for (const job of jobs) job.reject(new DrawingError(NO_START, true));
  }

  heard(worker, message) {
    if (worker !== this.worker) return;
    if (message.ready) {
      this.isReady = true;
      this.failedStarts = 0;
      this.startMs = message.milliseconds;
    } else if (message.failed) {
      this.broke(worker, { isStart: true });
    } else if (message.trapped) {
      this.broke(worker, { isStart: false });
    } else if (this.current?.id === message.id) {
      const job = this.finish();
      if (message.refused) job.reject(new DrawingError(REFUSED));
      else job.resolve({ drawing: message.drawing, milliseconds: message.milliseconds });
      this.next();
    }
  }

  finish() {
    const job = this.current;
    this.current = null;
    clearTimeout(this.timer);
    return job;
  }

  /** A new worker; the page that broke the old one is refused, one that only waited is not. */
  broke(worker, { isStart }) {
    if (worker !== this.worker) return;
    worker.terminate();
    this.worker = null;
    this.restarts += 1;
    const job = this.current ? this.finish() : null;
    if (isStart) {
      this.failedStarts += 1;
      if (job) this.waiting.unshift(job);
    } else {
      job?.reject(new DrawingError(BROKE, true));
    }
    this.next();
  }
}

/** Takes the job of the smallest priority out of the list. */
function takeNearest(jobs) {
  let best = 0;
  const priorities = jobs.map((job) => job.priority());
  for (let k = 1; k < jobs.length; k++) if (priorities[k] < priorities[best]) best = k;
  return jobs.splice(best, 1)[0];
}
