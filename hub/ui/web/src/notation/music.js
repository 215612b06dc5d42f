/** How verovio is asked to draw. Pure. */

const UNITS_A_PIXEL = 2.5; // verovio's scale 40
const TALLEST = 60000;
const WIDEST = 100000;
// What the view writes itself, in its own type and out of the music's way.
const NAMES =
  /<(part-name|part-abbreviation)(-display)?(?:\s[^>]*)?(?:\/>|>[\s\S]*?<\/\1\2\s*>)/g;

/** @param {string} musicxml */
export function withoutNames(musicxml) {
  return musicxml.replace(NAMES, (_, name, display) => (display || name !== "part-name" ? "" : "<part-name/>"));
}

/** @param {{width: number|null, zoom: number}} options  width in pixels; null: one long system */
export function verovioOptions({ width, zoom }) {
  const isContinuous = width === null;
  return {
    scale: 40,
    header: "none",
    footer: "none",
    svgViewBox: true,
    svgRemoveXlink: true,
    mnumInterval: 1,
    xmlIdSeed: 1,
    pageMarginLeft: 0,
    pageMarginRight: 0,
    pageMarginTop: 30,
    pageMarginBottom: 20,
    spacingStaff: 10,
    spacingSystem: 10,
    adjustPageHeight: true,
    adjustPageWidth: isContinuous,
    pageHeight: TALLEST,
    pageWidth: isContinuous ? WIDEST : Math.round((width / zoom) * UNITS_A_PIXEL),
    breaks: isContinuous ? "none" : "auto",
    minLastJustification: 0.4,
  };
}
