/** The bar above the views: playing, history, which view. Buttons with names, no framework. */

const VIEWS = { both: "Both", notation: "Notation", roll: "Piano roll" };
const TEMPOS = [0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5];

const STYLE = `
.se-editor { --se-line: #c9ced8; --se-text: #1f2530; --se-quiet: #545d6d; --se-accent: #4f46e5; --se-on-accent: #fff; --se-paper: #fff;
  --se-error: #b42318; color: var(--se-text); font: 14px/1.4 system-ui, sans-serif; display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.dark .se-editor { --se-line: #3d4655; --se-text: #eceff4; --se-quiet: #a9b2c1; --se-accent: #a5b4fc; --se-on-accent: #14171d; --se-paper: #14171d;
  --se-error: #ffa198; }
.se-bar { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; }
.se-group { display: flex; gap: 4px; align-items: center; }
.se-bar button, .se-bar select { font: inherit; color: inherit; background: var(--se-paper); border: 1px solid var(--se-line); border-radius: 7px;
  min-height: 36px; padding: 0 12px; cursor: pointer; touch-action: manipulation; }
.se-bar button[aria-pressed="true"], .se-bar .se-play { background: var(--se-accent); color: var(--se-on-accent); border-color: var(--se-accent); }
.se-bar button:disabled { opacity: 0.6; cursor: default; }
.se-bar :focus-visible { outline: 2px solid var(--se-accent); outline-offset: 2px; }
.se-bar label { display: inline-flex; gap: 6px; align-items: center; }
.se-where { font-variant-numeric: tabular-nums; color: var(--se-quiet); min-width: 8ch; }
.se-said { margin: 0; min-height: 1.4em; color: var(--se-quiet); }
.se-said.is-error { color: var(--se-error); }
.se-views { display: grid; gap: 8px; min-width: 0; }
.se-notation { height: 320px; min-width: 0; } .se-roll { height: 460px; min-width: 0; }
.se-editor[data-view="notation"] .se-roll, .se-editor[data-view="roll"] .se-notation { display: none; }
.se-editor[data-view="notation"] .se-notation, .se-editor[data-view="roll"] .se-roll { height: 620px; }
`;

export class Bar extends EventTarget {
  /** Events: "play", "undo", "redo", "loop" {isOn}, "metronome" {isOn}, "tempo" {factor}, "view" {view}. */
  constructor(host) {
    super();
    this.document = host.ownerDocument;
    this.root = this.make("div", { className: "se-bar" });
    this.root.setAttribute("role", "toolbar");
    this.root.setAttribute("aria-label", "Playing and history");
    this.play = this.button("Play", "play", { className: "se-play" });
    this.loop = this.toggle("Loop selection", "loop");
    this.metronome = this.toggle("Metronome", "metronome");
    this.undo = this.button("Undo", "undo");
    this.redo = this.button("Redo", "redo");
    this.where = this.make("span", { className: "se-where", textContent: "" });
    this.group(this.play, this.loop, this.metronome, this.tempo(), this.where);
    this.group(this.undo, this.redo);
    this.views = this.group(...Object.entries(VIEWS).map(([view, label]) => this.viewButton(view, label)));
    this.views.setAttribute("role", "group");
    this.views.setAttribute("aria-label", "View");
    host.append(this.root);
    addStyle(host);
    this.setView("both");
    this.setHistory({});
  }

  make(tag, fields) {
    return Object.assign(this.document.createElement(tag), fields);
  }

  group(...children) {
    const group = this.make("div", { className: "se-group" });
    group.append(...children);
    this.root.append(group);
    return group;
  }

  button(label, type, fields = {}) {
    const button = this.make("button", { type: "button", textContent: label, ...fields });
    button.addEventListener("click", () => this.tell(type));
    return button;
  }

  toggle(label, type) {
    const button = this.make("button", { type: "button", textContent: label });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isOn));
      this.tell(type, { isOn });
    });
    return button;
  }

  viewButton(view, label) {
    const button = this.button(label, "view");
    button.dataset.view = view;
    button.addEventListener("click", () => this.setView(view));
    return button;
  }

  tempo() {
    const label = this.make("label", { textContent: "Tempo " });
    const select = this.make("select", {});
    for (const factor of TEMPOS) {
      const option = this.make("option", { value: factor, textContent: `${Math.round(factor * 100)} %`, selected: factor === 1 });
      select.append(option);
    }
    select.addEventListener("change", () => this.tell("tempo", { factor: Number(select.value) }));
    label.append(select);
    return label;
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  setView(view) {
    for (const button of this.views.children) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    this.tell("show", { view });
  }

  setPlaying(isPlaying) {
    this.play.textContent = isPlaying ? "Pause" : "Play";
  }

  setHistory({ canUndo = false, canRedo = false }) {
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
  }

  setWhere(text) {
    if (this.where.textContent !== text) this.where.textContent = text;
  }
}

function addStyle(host) {
  const place = host.getRootNode().head ?? host.getRootNode();
  if (place.querySelector?.("style[data-editor]")) return;
  const style = host.ownerDocument.createElement("style");
  style.dataset.editor = "";
  style.textContent = STYLE;
  (place.append ? place : host).append(style);
}
