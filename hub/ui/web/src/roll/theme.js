/** The colours of the canvases, read from the style's variables; shades of notes made once. */

const NAMES = [
  "bg", "black-row", "row-line", "octave", "beat", "bar", "panel", "border", "text", "quiet", "white-key",
  "black-key", "accent", "select", "changed", "kept", "cursor", "play", "no",
];
const PART_COLOURS = 8;
export const SHADES = 8;

/** @returns {{font: string, shades: string[][], muted: string} & Object<string, string>} */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--roll-${name}`).trim();
  const theme = Object.fromEntries(NAMES.map((name) => [camel(name), read(name)]));
  theme.parts = Array.from({ length: PART_COLOURS }, (_, i) => read(`part-${i}`));
  theme.shades = theme.parts.map((colour) =>
    Array.from({ length: SHADES }, (_, i) => mixed(theme.bg, colour, 0.38 + (0.62 * i) / (SHADES - 1))),
  );
  theme.muted = mixed(theme.bg, theme.quiet, 0.3);
  theme.font = style.fontFamily || "sans-serif";
  return theme;
}

export function shadeOf(velocity) {
  return Math.min(SHADES - 1, (velocity * SHADES) >> 7);
}

export function partColour(partIndex) {
  return partIndex % PART_COLOURS;
}

/** `amount` of the second colour on the first, both "#rrggbb". */
export function mixed(first, second, amount) {
  const channel = (text, i) => Number.parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mix = (i) => Math.round(channel(first, i) + (channel(second, i) - channel(first, i)) * amount);
  return `#${[0, 1, 2].map((i) => mix(i).toString(16).padStart(2, "0")).join("")}`;
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

/** Call `changed` when the page turns dark or light. */
export function watchTheme(changed) {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(changed);
  media.addEventListener("change", changed);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["class", "data-theme"] });
  }
  return () => {
    media.removeEventListener("change", changed);
    observer.disconnect();
  };
}
