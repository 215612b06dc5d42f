/** The roll's HTML: tools, stage with its canvases, lane headers, overview, status, help. */

const svg = (path) => `<svg viewBox="0 0 16 16" aria-hidden="true">${path}</svg>`;
const ICONS = {
  select: svg('<rect x="2" y="3" width="12" height="10" rx="1" stroke-dasharray="3 2"/>'),
  edit: svg('<path d="M3 13l.8-3.2L11 2.6l2.4 2.4-7.2 7.2zM9.5 4.1l2.4 2.4"/>'),
  lock: svg('<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5 7V5a3 3 0 0 1 6 0v2"/>'),
  pitch: svg('<path d="M8 2v12M5 5l3-3 3 3M5 11l3 3 3-3"/>'),
  merge: svg('<path d="M2 4h12M2 8h12M2 12h12"/>'),
  narrower: svg('<circle cx="7" cy="7" r="4.5"/><path d="M5 7h4M10.5 10.5L14 14"/>'),
  wider: svg('<circle cx="7" cy="7" r="4.5"/><path d="M5 7h4M7 5v4M10.5 10.5L14 14"/>'),
  lower: svg('<path d="M3 8h10M8 1v4M6 3.5L8 5.5l2-2M8 15v-4M6 12.5l2-2 2 2"/>'),
  taller: svg('<path d="M3 8h10M8 5.5V1M6 2.5l2-2 2 2M8 10.5V15M6 13.5l2 2 2-2"/>'),
  fit: svg('<path d="M2 3v10M14 3v10M4.5 8h7M6.5 6l-2 2 2 2M9.5 6l2 2-2 2"/>'),
  quantise: svg('<path d="M2 2v12M8 2v12M14 2v12M4 6h3M10 10h3"/>'),
  copy: svg('<rect x="5" y="5" width="9" height="9" rx="1"/><path d="M11 5V2H2v9h3"/>'),
  paste: svg('<rect x="3" y="3" width="10" height="11" rx="1"/><path d="M6 3V1.5h4V3M6 8h4M6 11h4"/>'),
  remove: svg('<path d="M2.5 4h11M6 4V2h4v2M4 4l.7 10h6.6L12 4M6.7 7v4.5M9.3 7v4.5"/>'),
  fold: svg('<path d="M3 5h10l-5 6z"/>'),
};

/** Grids: fractions of a quarter note. */
export const GRIDS = [
  ["1/4", 1], ["1/8", 1 / 2], ["1/8 triplet", 1 / 3], ["1/16", 1 / 4], ["1/16 triplet", 1 / 6], ["1/32", 1 / 8],
];

const KEYS_HELP = [
  ["1, 2, 3", "Tools: Select, Edit, Lock"],
  ["← →", "A step earlier or later; with Alt a beat, with Ctrl eight measures"],
  ["↑ ↓", "Another part; with “Pitches” on, or editing, another pitch"],
  ["Shift + arrows", "Extend the selection"],
  ["Enter or Space", "Mark or unmark; draw or choose a note; lock or unlock it"],
  [", and .", "The note before, the note after"],
  ["Alt + arrows", "Editing: move the chosen notes"],
  ["Alt + Shift + ← →", "Editing: make them shorter or longer"],
  ["[ and ]", "Editing: softer, louder"],
  ["Q, Delete", "Editing: quantise, delete"],
  ["Ctrl/Cmd + C X V A", "Copy, cut, paste, everything"],
  ["+ and −", "Zoom; 0 shows the whole score"],
  ["H, Shift + H", "Taller rows, lower rows"],
  ["Home, End", "To the beginning, to the end"],
  ["Escape", "Let go of what is chosen"],
];

function tool(action, name, title, { pressed, word = true, always = false } = {}) {
  const state = pressed === undefined ? "" : ` aria-pressed="${pressed}"`;
  const text = word ? `<span class="sr-word${always ? " sr-always" : ""}">${name}</span>` : "";
  const label = word ? "" : ` aria-label="${name}"`;
  return `<button type="button" data-action="${action}" title="${title}"${label}${state}>${ICONS[action] ?? ""}${text}</button>`;
}

const TOOLS = `
<div class="sr-group sr-joined" role="group" aria-label="Tool">
  ${tool("select", "Select", "Mark what may change (1)", { pressed: true, always: true })}
  ${tool("edit", "Edit", "Draw, move and change notes (2)", { pressed: false, always: true })}
  ${tool("lock", "Lock", "Keep notes as they are (3)", { pressed: false, always: true })}
</div>
<div class="sr-group" data-for="select">${tool("pitch", "Pitches", "Mark a range of pitches, not the whole part (hold Ctrl while dragging)", { pressed: false })}</div>
<div class="sr-group" data-for="edit" role="group" aria-label="Notes" hidden>
  <label><span class="sr-word">Grid</span> <select data-field="grid">${GRIDS.map(([name], i) => `<option value="${i}"${i === 3 ? " selected" : ""}>${name}</option>`).join("")}</select></label>
  ${tool("quantise", "Quantise", "Move the chosen notes to the grid (Q)")}
  ${tool("copy", "Copy", "Copy (Ctrl/Cmd+C)", { word: false })}
  ${tool("paste", "Paste", "Paste at the cursor (Ctrl/Cmd+V)", { word: false })}
  ${tool("remove", "Delete", "Delete the chosen notes (Delete)", { word: false })}
  <label><span class="sr-wide">Velocity</span> <input type="range" min="1" max="127" value="80" data-field="velocity" aria-label="Velocity"></label>
</div>
<span class="sr-space"></span>
<div class="sr-group" role="group" aria-label="View">
  ${tool("merge", "One lane", "All parts in one lane", { pressed: false })}
  ${tool("narrower", "Zoom out", "Zoom out (−)", { word: false })}
  ${tool("wider", "Zoom in", "Zoom in (+)", { word: false })}
  <span class="sr-wide sr-group">${tool("lower", "Lower rows", "Lower rows (Shift+H)", { word: false })}
  ${tool("taller", "Taller rows", "Taller rows (H)", { word: false })}</span>
  ${tool("fit", "Show the whole score", "Show the whole score (0)", { word: false })}
  <button type="button" data-action="help" aria-label="Keys and gestures" title="Keys and gestures (?)">?</button>
</div>`;

const HELP = `<h2>Keys and gestures</h2>
<dl>${KEYS_HELP.map(([keys, what]) => `<dt>${keys}</dt><dd>${what}</dd>`).join("")}</dl>
<p>Dragging marks (Shift adds, Alt subtracts) or, editing, chooses notes; a click draws a note, its ends stretch it, Ctrl-drag draws
to length, Alt-drag on a note changes its velocity, a double click deletes it. On a touch screen one finger works, two scroll and zoom.</p>
<form method="dialog"><button>Close</button></form>`;

let count = 0;

/**
 * Build the roll in a host element. Nothing in here is a user's text: names are set as text later.
 * @returns {{root: HTMLElement, [name: string]: HTMLElement}}
 */
export function buildFrame(host) {
  const id = `sr-${++count}`;
  const root = document.createElement("section");
  root.className = "sr-roll";
  root.setAttribute("aria-label", "Piano roll");
  root.innerHTML = `
    <div class="sr-tools" role="group" aria-label="Piano roll tools">${TOOLS}</div>
    <div class="sr-body">
      <div class="sr-stage" id="${id}" tabindex="0" role="application" aria-roledescription="piano roll" aria-label="Notes" aria-describedby="${id}-about">
        <canvas data-layer="grid" aria-hidden="true"></canvas><canvas data-layer="notes" aria-hidden="true"></canvas>
        <canvas data-layer="selection" aria-hidden="true"></canvas><canvas data-layer="cursor" aria-hidden="true"></canvas>
      </div>
      <div class="sr-headers"></div>
      <div class="sr-thumb" aria-hidden="true" hidden></div>
      <p class="sr-empty">No score yet.</p>
    </div>
    <div class="sr-overview" role="scrollbar" tabindex="0" aria-label="Place in the score" aria-controls="${id}" aria-orientation="horizontal" aria-valuemin="0" aria-valuemax="0" aria-valuenow="0"><canvas aria-hidden="true"></canvas></div>
    <div class="sr-status"><p class="sr-said" role="status" aria-live="polite"></p><p class="sr-problem" role="status" aria-live="polite"></p><p class="sr-hint" aria-hidden="true"></p></div>
    <p class="sr-hidden" id="${id}-about">Arrow keys move, Shift and arrows mark, Enter marks or draws; question mark lists all keys.</p>
    <dialog class="sr-help" aria-label="Keys and gestures">${HELP}</dialog>`;
  host.append(root);
  const find = (name) => root.querySelector(`.sr-${name}`);
  const frame = { root, overviewCanvas: root.querySelector(".sr-overview canvas") };
  for (const name of ["tools", "body", "stage", "headers", "thumb", "empty", "overview", "said", "problem", "hint", "help"]) frame[name] = find(name);
  frame.canvases = Object.fromEntries([...root.querySelectorAll("canvas[data-layer]")].map((canvas) => [canvas.dataset.layer, canvas]));
  return frame;
}

/** A canvas as large as its box at the screen's resolution, with its units set to CSS pixels. */
export function sizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/**
 * One header for a part: fold, name, mute, solo.
 * @param {{name: string, index: number, colour: string, note: string, folds: boolean, expanded: boolean, muted: boolean, solo: boolean}} part
 */
export function partHeader({ name, index, colour, note, folds, expanded, muted, solo }) {
  const row = document.createElement("div");
  row.className = "sr-part";
  row.dataset.part = index;
  row.style.setProperty("--lane", colour);
  if (folds) {
    const fold = button("fold", `Show the notes of ${name}`, ICONS.fold, "sr-fold");
    fold.setAttribute("aria-expanded", expanded);
    row.append(fold);
  }
  const label = button("part", "", "", "sr-name");
  label.append(Object.assign(document.createElement("span"), { textContent: name }));
  label.title = name;
  row.append(label, flag("mute", `Mute ${name}`, "M", muted), flag("solo", `Solo ${name}`, "S", solo));
  if (note) row.append(Object.assign(document.createElement("span"), { className: "sr-note", textContent: note }));
  return row;
}

function button(action, label, html, className) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.action = action;
  made.className = className;
  made.innerHTML = html;
  if (label) made.setAttribute("aria-label", label);
  return made;
}

function flag(action, label, letter, pressed) {
  const made = button(action, label, letter, "sr-flag");
  made.title = label;
  made.setAttribute("aria-pressed", pressed);
  return made;
}
