/**
 * One page on screen: the picture, what is marked behind it, and a cell for every measure of every
 * part, which is what screen readers and the keyboard go by.
 */

import { buildPicture } from "./dom.js";
import { PageMap } from "./geometry.js";
import { findNote } from "./paging.js";

const element = (document, className, role) => {
  const made = document.createElement("div");
  made.className = className;
  if (role) made.setAttribute("role", role);
  return made;
};

export class PageView {
  /** @param {{first: number, count: number}} span */
  constructor(document, span, uid) {
    this.document = document;
    this.span = span;
    this.uid = uid;
    this.element = element(document, "notation-page is-empty");
    this.drawing = null;
    this.map = null;
    this.cells = new Map();
    this.elementsOfRow = new Map();
    this.rowOfIndex = new Map();
    this.lit = new Map();
  }

  get isDrawn() {
    return this.drawing !== null;
  }

  /**
   * @param {import("./drawing.js").Drawing} drawing
   * @param {{parts: number[], staves: number[], noteOfRow: Map<number, object>}} page
   * @param {import("../score.js").Score} score
   */
  show(drawing, page, score) {
    this.drawing = drawing;
    this.noteOfRow = page.noteOfRow;
    this.map = new PageMap(drawing, score, page, page.noteOfRow);
    this.elementsOfRow = new Map();
    this.lit = new Map();
    const picture = buildPicture(this.document, drawing.tree, (id, each) => this.noteDrawn(id, each));
    picture.setAttribute("aria-hidden", "true");
    picture.setAttribute("width", drawing.width);
    picture.setAttribute("height", drawing.height);
    this.marks = element(this.document, "notation-marks", "presentation");
    this.content = element(this.document, "notation-content", "presentation");
    this.content.append(this.marks, picture);
    this.element.replaceChildren(this.content);
    this.element.classList.remove("is-empty", "is-stale");
    this.element.setAttribute("role", "rowgroup");
    this.addCells(score);
    this.renumber(score);
  }

  noteDrawn(id, each) {
    const row = parseInt(id.slice(1), 10);
    if (!this.elementsOfRow.has(row)) this.elementsOfRow.set(row, []);
    this.elementsOfRow.get(row).push(each);
  }

  addCells(score) {
    this.cells = new Map();
    for (const part of this.map.parts) {
      const row = element(this.document, "notation-row", "row");
      row.setAttribute("aria-rowindex", part + 1);
      for (const measure of this.map.measures.keys()) {
        const place = this.map.cell(measure, part);
        if (place) row.append(this.cell(score, measure, part, place));
      }
      if (row.childElementCount) this.content.append(row);
    }
  }

  cell(score, measure, part, { left, top, width, height }) {
    const cell = element(this.document, "notation-cell", "gridcell");
    cell.id = `${this.uid}-m${measure}-p${part}`;
    cell.setAttribute("aria-colindex", measure + 1);
    cell.setAttribute("aria-selected", "false");
    Object.assign(cell.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    this.cells.set(`${measure}.${part}`, cell);
    this.nameCell(cell, score, measure, part);
    return cell;
  }

  nameCell(cell, score, measure, part) {
    const { onset } = score.notes;
    const [start, end] = [score.measureStart(measure), score.measureEnd(measure)];
    const sounding = score.notesBetween(start, end).filter((i) => score.notes.part[i] === part && onset[i] >= start);
    const notes = sounding.length === 1 ? "1 note" : `${sounding.length || "no"} notes`;
    cell.setAttribute("aria-label", `${score.parts[part].name || score.parts[part].id}, measure ${score.measures.number[measure]}, ${notes}`);
  }

  /** Notes keep their elements while an edit elsewhere gives them other indexes. */
  renumber(score) {
    this.rowOfIndex = new Map();
    for (const row of this.elementsOfRow.keys()) {
      const note = this.noteOfRow.get(row);
      const index = note ? findNote(score, note) : -1;
      if (index >= 0) this.rowOfIndex.set(index, row);
    }
  }

  /** @returns {SVGElement[]} the heads of a note of the current score, tied ones too */
  elementsOf(index) {
    return this.elementsOfRow.get(this.rowOfIndex.get(index)) ?? [];
  }

  /** Give the notes a class, and take it from those that had it and do not any more. */
  light(className, indexes) {
    const before = this.lit.get(className) ?? new Set();
    const after = new Set();
    for (const index of indexes) for (const each of this.elementsOf(index)) after.add(each);
    for (const each of before) if (!after.has(each)) each.classList.remove(className);
    for (const each of after) if (!before.has(each)) each.classList.add(className);
    this.lit.set(className, after);
  }

  /** What is selected: rectangles behind the staves, the notes that may change, those kept. */
  mark(selection, score) {
    if (!this.isDrawn) return;
    const { boxes } = selection;
    const own = [...this.rowOfIndex].map(([index, row]) => [index, this.noteOfRow.get(row)]);
    const those = (test) => own.filter(([, note]) => test(note)).map(([index]) => index);
    this.light("is-in-region", boxes.length ? those((note) => selection.includes(note)) : []);
    this.light("is-locked", selection.kept.length ? those((note) => selection.keeps(note)) : []);
    const rectangles = boxes.flatMap((box) => this.map.rectangles(box.partIndex, box.startTick, box.endTick));
    this.marks.replaceChildren(...rectangles.map((place) => {
      const mark = element(this.document, "notation-mark");
      for (const [name, value] of Object.entries(place)) mark.style[name] = `${value}px`;
      return mark;
    }));
    for (const [name, cell] of this.cells) {
      const [measure, part] = name.split(".").map(Number);
      const [start, end] = [score.measureStart(measure), score.measureEnd(measure)];
      const isMarked = boxes.some((box) => box.partIndex === part && box.startTick < end && box.endTick > start);
      cell.setAttribute("aria-selected", String(isMarked));
    }
  }

  /** Part names beside each system, for pages below each other. */
  name(names, gutter, zoom) {
    for (const each of [...this.element.querySelectorAll(".notation-name")]) each.remove();
    if (names) this.element.append(...this.nameLabels(names, gutter, zoom));
  }

  nameLabels(names, gutter, zoom, systems = this.drawing.systems.keys()) {
    const labels = [];
    for (const system of systems) {
      for (const part of this.map.parts) {
        const span = this.map.partSpan(system, part);
        if (!span) continue;
        const label = element(this.document, "notation-name");
        label.setAttribute("aria-hidden", "true");
        label.textContent = names[part];
        label.title = names[part];
        label.style.width = `${gutter}px`;
        label.style.top = `${((span.top + span.bottom) / 2) * zoom}px`;
        labels.push(label);
      }
    }
    return labels;
  }

  fail(sentence) {
    const problem = element(this.document, "notation-problem");
    problem.textContent = sentence;
    this.element.removeAttribute("role");
    this.element.classList.add("is-empty");
    this.element.replaceChildren(problem);
    this.drawing = null;
    this.map = null;
    this.cells = new Map();
  }
}
