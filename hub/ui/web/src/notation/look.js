/** The notation's style sheet. Colours follow the page: `.dark` around it, or the system's choice. */

const LIGHT = `
  --notation-paper: #ffffff; --notation-ink: #16181d; --notation-quiet: #565b66;
  --notation-line: #d5d8de; --notation-mark: #f4b400; --notation-mark-edge: #8a6100; --notation-region: #5e4200;
  --notation-changed: #b34700; --notation-playing: #0957b5; --notation-locked: #00695c;
  --notation-cursor: #0957b5;`;
const DARK = `
  --notation-paper: #14161b; --notation-ink: #eceef2; --notation-quiet: #a9b0bd;
  --notation-line: #363b46; --notation-mark: #f4b400; --notation-mark-edge: #ffd666; --notation-region: #ffe08a;
  --notation-changed: #ff9d5c; --notation-playing: #6cb2ff; --notation-locked: #5fdcc3;
  --notation-cursor: #6cb2ff;`;

export const STYLE = `
.notation { ${LIGHT} color-scheme: light; position: relative; width: 100%; height: 100%; min-height: 160px;
  background: var(--notation-paper); color: var(--notation-ink); font: 13px/1.3 system-ui, sans-serif;
  overflow: hidden; }
@media (prefers-color-scheme: dark) { .notation:not(.light *) { ${DARK} color-scheme: dark; } }
.dark .notation { ${DARK} color-scheme: dark; }
.notation-scroll { position: absolute; inset: 0; overflow: auto; overflow-anchor: none; touch-action: pan-x pan-y;
  outline: none; cursor: crosshair; user-select: none; -webkit-user-select: none; }
.notation-scroll:focus-visible { box-shadow: inset 0 0 0 2px var(--notation-playing); }
.notation-space { position: relative; min-width: 100%; }
/* What is out of view is neither laid out nor painted; its size is set by the view. */
.notation-page { position: absolute; contain: layout style; content-visibility: auto; overflow-clip-margin: 40px; }
.notation-content { transform-origin: 0 0; position: relative; }
.notation-content > svg { position: absolute; left: 0; top: 0; display: block; overflow: visible; fill: currentColor;
  font-family: Georgia, "Times New Roman", serif; pointer-events: none; }
.notation-content > svg svg { overflow: visible; }
.notation-page.is-empty { border: 1px dashed var(--notation-line); border-radius: 8px; box-sizing: border-box; }
.notation-page.is-stale svg { opacity: 0.55; }
.notation-problem { position: absolute; inset: 0; margin: auto; padding: 12px; height: fit-content; max-width: 34em;
  text-align: center; color: var(--notation-ink); }
.notation-mark { position: absolute; box-sizing: border-box; border-radius: 4px; pointer-events: none;
  background: color-mix(in srgb, var(--notation-mark) 28%, transparent);
  border: 1.5px solid var(--notation-mark-edge); }
.notation-cell { position: absolute; pointer-events: none; }
.notation-cell.is-active { outline: 2px solid var(--notation-playing); outline-offset: 1px; border-radius: 3px; }
.notation-scroll:not(:focus) .notation-cell.is-active { outline: none; }
.notation .note.is-in-region { color: var(--notation-region); }
.notation .note.is-changed { color: var(--notation-changed); }
.notation .note.is-locked { color: var(--notation-locked); }
.notation .note.is-playing { color: var(--notation-playing); }
.notation .note .verse { color: var(--notation-ink); }
.notation-cursor { position: absolute; width: 2px; margin-left: -1px; border-radius: 1px; pointer-events: none;
  background: var(--notation-cursor); }
.notation-names { position: absolute; left: 0; top: 0; bottom: 0; overflow: hidden; pointer-events: none;
  background: var(--notation-paper); border-right: 1px solid var(--notation-line); }
.notation-name { position: absolute; left: 0; box-sizing: border-box; padding: 0 6px 0 8px; transform: translateY(-50%);
  text-align: right; color: var(--notation-ink); font-size: 12px; line-height: 1.15; overflow: hidden;
  overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
.notation-status { position: absolute; right: 8px; bottom: 8px; max-width: 90%; padding: 4px 10px; border-radius: 6px;
  background: var(--notation-ink); color: var(--notation-paper); pointer-events: none; }
.notation-status:empty { display: none; }
`;

/** Put the style sheet into the document or shadow root that holds an element, once. */
export function addStyle(element) {
  const root = element.getRootNode();
  const place = root.head ?? root;
  if (place.querySelector?.("style[data-notation]")) return;
  const style = element.ownerDocument.createElement("style");
  style.dataset.notation = "";
  style.textContent = STYLE;
  place.append(style);
}
