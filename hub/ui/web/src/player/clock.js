/**
 * A timer that goes on in a hidden page: browsers slow the page's own timers down, not a worker's.
 *
 * @param {number} everyMs
 * @param {() => void} call
 * @returns {() => void} stops it
 */
export function tickEvery(everyMs, call) {
  try {
    const address = URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${everyMs})`], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    worker.onmessage = call;
    return () => worker.terminate();
  } catch { // a page whose policy has no room for workers
    const timer = setInterval(call, everyMs);
    return () => clearInterval(timer);
  }
}
