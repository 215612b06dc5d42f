/** The roll's looks. Colours are variables, so that the canvas and a page's theme read the same ones. */

const LIGHT = `
  --roll-bg: #ffffff; --roll-black-row: #f3f4f6; --roll-row-line: #e7e9ee; --roll-octave: #d3d7df;
  --roll-beat: #eceef2; --roll-bar: #c3c8d2; --roll-panel: #f7f8fa; --roll-border: #d5d9e0;
  --roll-text: #1f2530; --roll-quiet: #545d6d; --roll-white-key: #ffffff; --roll-black-key: #3b4252;
  --roll-accent: #4f46e5; --roll-on-accent: #ffffff; --roll-select: #4f46e5; --roll-changed: #d97706;
  --roll-kept: #1f2530; --roll-cursor: #4f46e5; --roll-play: #dc2626; --roll-no: #9aa1ae;
  --roll-part-0: #2563eb; --roll-part-1: #0f8a6c; --roll-part-2: #b4400f; --roll-part-3: #7e3fd1;
  --roll-part-4: #0e7f96; --roll-part-5: #b83280; --roll-part-6: #6b7d0c; --roll-part-7: #8a5a2b;`;

const DARK = `
  --roll-bg: #14171d; --roll-black-row: #191d24; --roll-row-line: #1f242d; --roll-octave: #313946;
  --roll-beat: #20252e; --roll-bar: #3d4655; --roll-panel: #1b1f27; --roll-border: #343b48;
  --roll-text: #eceff4; --roll-quiet: #a9b2c1; --roll-white-key: #c9cfd9; --roll-black-key: #242a34;
  --roll-accent: #a5b4fc; --roll-on-accent: #14171d; --roll-select: #818cf8; --roll-changed: #fbbf24;
  --roll-kept: #f4f6fa; --roll-cursor: #a5b4fc; --roll-play: #f87171; --roll-no: #59616f;
  --roll-part-0: #6ea8fe; --roll-part-1: #4fd1a5; --roll-part-2: #ff9d6b; --roll-part-3: #c4a1ff;
  --roll-part-4: #5cd3ea; --roll-part-5: #ff94c9; --roll-part-6: #c5d957; --roll-part-7: #dcb083;`;

/* On a Gradio page its own switch (.dark) decides; elsewhere the system's setting does. */
const STYLE = `
.sr-roll { ${LIGHT} color: var(--roll-text); background: var(--roll-panel); border: 1px solid var(--roll-border);
  border-radius: 10px; display: flex; flex-direction: column; min-width: 0; min-height: 18rem; height: 100%; box-sizing: border-box;
  overflow: hidden; font: 13px/1.35 var(--font, system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif); container-type: inline-size; }
.dark .sr-roll, .sr-roll.dark { ${DARK} }
@media (prefers-color-scheme: dark) { :root:not(:has(.gradio-container)) .sr-roll:not(.light) { ${DARK} } }
.sr-roll *, .sr-roll *::before { box-sizing: border-box; }
.sr-roll button, .sr-roll select, .sr-roll input { font: inherit; color: inherit; margin: 0; }

.sr-tools { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 6px 8px; border-bottom: 1px solid var(--roll-border); }
.sr-group { display: flex; align-items: center; gap: 2px; }
.sr-group.sr-joined { gap: 0; border: 1px solid var(--roll-border); border-radius: 7px; overflow: hidden; background: var(--roll-bg); }
.sr-group { flex-wrap: wrap; } .sr-joined { flex-wrap: nowrap; }
.sr-group[hidden] { display: none; }
.sr-space { flex: 1; }
.sr-tools button { display: inline-flex; align-items: center; justify-content: center; gap: 5px; min-height: 30px; min-width: 30px;
  padding: 0 9px; border: 0; border-radius: 6px; background: none; cursor: pointer; white-space: nowrap; }
.sr-joined button { border-radius: 0; }
.sr-tools button:hover { background: color-mix(in srgb, var(--roll-text) 8%, transparent); }
.sr-tools button[aria-pressed="true"] { background: var(--roll-accent); color: var(--roll-on-accent); }
.sr-tools button:disabled { color: var(--roll-quiet); cursor: default; background: none; opacity: 0.75; }
.sr-tools svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; flex: none; }
.sr-tools label { display: inline-flex; align-items: center; gap: 5px; color: var(--roll-quiet); padding: 0 4px; }
.sr-tools select { min-height: 30px; padding: 0 4px; border: 1px solid var(--roll-border); border-radius: 6px; background: var(--roll-bg); color: var(--roll-text); }
.sr-tools input[type="range"] { width: 84px; accent-color: var(--roll-accent); }
.sr-roll :focus-visible { outline: 2px solid var(--roll-accent); outline-offset: -2px; }

.sr-body { position: relative; flex: 1; min-height: 0; overflow: hidden; background: var(--roll-bg); }
.sr-stage { position: absolute; inset: 0; touch-action: none; user-select: none; -webkit-user-select: none; overflow: hidden; cursor: crosshair; }
.sr-stage canvas { position: absolute; inset: 0; pointer-events: none; }
.sr-stage:focus-visible::after { content: ""; position: absolute; inset: 0; border: 2px solid var(--roll-accent); pointer-events: none; }
.sr-headers { position: absolute; inset: 26px 0 0 0; overflow: hidden; pointer-events: none; }
.sr-lane { position: absolute; left: 0; right: 0; height: 28px; display: flex; align-items: center; gap: 4px; padding: 0 14px 0 4px;
  background: color-mix(in srgb, var(--lane, var(--roll-quiet)) 9%, var(--roll-panel)); border-block: 1px solid var(--roll-border); }
.sr-lane.sr-all { overflow-x: auto; pointer-events: auto; gap: 10px; }
.sr-lane .sr-part { display: flex; align-items: center; gap: 4px; min-width: 0; flex: none; max-width: 100%; }
.sr-lane button { pointer-events: auto; height: 24px; min-width: 24px; padding: 0 5px; border: 1px solid transparent; border-radius: 5px; background: none;
  cursor: pointer; touch-action: manipulation; }
.sr-lane button:hover { background: color-mix(in srgb, var(--roll-text) 10%, transparent); }
.sr-lane .sr-name { font-weight: 600; display: flex; align-items: center; gap: 6px; min-width: 0; overflow: hidden; }
.sr-lane .sr-name span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.sr-lane .sr-name::before { content: ""; width: 9px; height: 9px; border-radius: 3px; background: var(--lane); flex: none; }
.sr-lane.sr-banned .sr-name::before { opacity: 0.4; }
.sr-lane .sr-active .sr-name, .sr-lane .sr-name[aria-current] { text-decoration: underline; text-underline-offset: 3px; text-decoration-color: var(--lane); text-decoration-thickness: 2px; }
.sr-lane .sr-note { color: var(--roll-quiet); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; font-size: 12px; }
.sr-lane .sr-flag { font-size: 12px; font-weight: 650; border-color: var(--roll-border); background: var(--roll-bg); flex: none; }
.sr-lane .sr-flag[aria-pressed="true"] { background: var(--roll-text); color: var(--roll-bg); border-color: var(--roll-text); }
.sr-lane .sr-fold svg { width: 12px; height: 12px; fill: currentColor; display: block; margin: auto; transition: transform 0.12s; }
.sr-lane .sr-fold[aria-expanded="false"] svg { transform: rotate(-90deg); }
.sr-thumb { position: absolute; right: 3px; width: 8px; border-radius: 4px; background: color-mix(in srgb, var(--roll-quiet) 55%, transparent); touch-action: none; cursor: default; }
.sr-thumb::before { content: ""; position: absolute; inset: 0 -3px 0 -6px; }
.sr-thumb[hidden] { display: none; }
.sr-empty { position: absolute; inset: 26px 0 0 0; display: grid; place-content: center; color: var(--roll-quiet); text-align: center; padding: 1rem; pointer-events: none; }
.sr-empty[hidden] { display: none; }

.sr-overview { position: relative; height: 30px; flex: none; border-top: 1px solid var(--roll-border); touch-action: none; cursor: grab; background: var(--roll-bg); }
.sr-overview canvas { position: absolute; inset: 0; }
.sr-status { display: flex; gap: 12px; align-items: center; min-height: 28px; padding: 4px 10px; border-top: 1px solid var(--roll-border); color: var(--roll-text); }
.sr-status p { margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.sr-status .sr-hint { color: var(--roll-quiet); margin-left: auto; flex: 0 1 auto; }
.sr-status .sr-problem { color: var(--roll-text); font-weight: 600; white-space: normal; }
.sr-status .sr-problem:not(:empty)::before { content: "!"; display: inline-grid; place-content: center; width: 16px; height: 16px; margin-right: 6px;
  border-radius: 50%; background: var(--roll-changed); color: #14171d; font-weight: 800; font-size: 11px; }
.sr-hidden { position: absolute !important; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.sr-help { border: 1px solid var(--roll-border); border-radius: 10px; background: var(--roll-panel); color: var(--roll-text); max-width: 34rem;
  width: calc(100% - 2rem); padding: 1rem 1.2rem; margin: auto; }
.sr-help::backdrop { background: rgb(0 0 0 / 0.35); }
.sr-help h2 { margin: 0 0 0.6rem; font-size: 15px; font-weight: 650; }
.sr-help dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 14px; margin: 0 0 0.8rem; }
.sr-help dt { font-weight: 600; } .sr-help dd { margin: 0; color: var(--roll-text); }
.sr-help button { min-height: 30px; padding: 0 12px; border-radius: 6px; border: 1px solid var(--roll-border); background: var(--roll-bg); cursor: pointer; }

@media (pointer: coarse) { .sr-tools button, .sr-tools select { min-height: 38px; min-width: 38px; } }
@container (max-width: 640px) {
  .sr-tools { gap: 4px 6px; padding: 4px 6px; }
  .sr-tools button { padding: 0 7px; } .sr-tools input[type="range"] { width: 64px; } .sr-tools select { max-width: 84px; }
  .sr-tools .sr-wide, .sr-space, .sr-status .sr-hint { display: none; }
  .sr-status { flex-wrap: wrap; } .sr-status p { white-space: normal; }
  .sr-tools .sr-word:not(.sr-always) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
}
`;

/** Put the style into the page (or shadow root) that an element is in, once. */
export function installStyle(element) {
  const root = element.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  if (home.querySelector("style[data-scorehub-roll]")) return;
  const style = document.createElement("style");
  style.dataset.scorehubRoll = "";
  style.textContent = STYLE;
  home.append(style);
}
