/** A drawing's tree → SVG elements. Only what is on the lists is ever made. */

import { ATTRIBUTES, ELEMENTS } from "./drawing.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Document} document
 * @param {import("./drawing.js").Tree} tree
 * @param {(id: string, element: SVGElement) => void} onNote  told of every element of a note
 * @returns {SVGElement}
 */
export function buildPicture(document, tree, onNote) {
  const [name, attributes, children] = tree;
  if (!ELEMENTS.has(name)) return document.createElementNS(SVG, "g");
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) {
    if (!ATTRIBUTES.has(key)) continue;
    if (key === "href" && !attributes[key].startsWith("#")) continue;
    element.setAttribute(key, attributes[key]);
    if (key === "data-note") onNote(attributes[key], element);
  }
  for (const child of children) {
    element.append(typeof child === "string" ? child : buildPicture(document, child, onNote));
  }
  return element;
}
