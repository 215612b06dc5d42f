import assert from "node:assert/strict";
import test from "node:test";

import { ATTRIBUTES, ELEMENTS, parse, readDrawing } from "../../src/notation/drawing.js";

const staff = (id, top, from, to, inside) => `
  <g id="${id}" class="staff">
    ${[0, 180, 360, 540, 720].map((y) => `<path d="M${from} ${top + y} L${to} ${top + y}" stroke-width="13" />`).join("\n")}
    ${inside}
  </g>`;
const note = (id, x) => `<g id="${id}" class="note"><g class="notehead"><use href="#E0A4-q" transform="translate(${x}, 500) scale(0.72, 0.72)" /></g></g>`;

const PICTURE = `<?xml version="1.0"?>
<svg viewBox="0 0 200 80" id="q" xmlns="http://www.w3.org/2000/svg" onload="a()">
  <desc>words</desc><style>g { color: red }</style>
  <defs><g id="E0A4-q"><path d="M0 0" /></g></defs>
  <svg class="definition-scale" color="black" viewBox="0 0 5000 2000">
    <g class="page-margin" transform="translate(100, 50)">
      <g id="ms" class="mdiv pageMilestone" />
      <g id="s" class="system">
        <g id="m7.p0" class="measure">
          ${staff("a", 500, 0, 2000, `<g class="clef"><use href="#E050-q" transform="translate(90, 1)" /></g>${note("n3", 900)}${note("n4", 1400)}`)}
        </g>
        <g id="m8.p0" class="measure">${staff("b", 500, 2000, 4000, note("n4.1", 2200))}</g>
      </g>
    </g>
    <script>alert(1)</script><foreignObject><p>x</p></foreignObject>
    <a href="javascript:b()"><text>c</text></a><image href="http://x/y.png" />
    <g fill="url(http://x)" onclick="d()"><text>&lt;script&gt; &#9835; &quot;\ue1d5\ue999</text></g>
    <use href="http://x/z" /><rect style="fill:red" x="1" />
  </svg>
</svg>`;

const drawing = readDrawing(PICTURE, "s1-");
const all = [];
const walk = (tree) => {
  all.push(tree);
  for (const child of tree[2]) if (typeof child !== "string") walk(child);
};
walk(drawing.tree);
const words = all.flatMap(([, , children]) => children.filter((child) => typeof child === "string")).join("");

test("only known elements and attributes are left", () => {
  for (const [name, attributes] of all) {
    assert.ok(ELEMENTS.has(name), name);
    for (const key of Object.keys(attributes)) assert.ok(ATTRIBUTES.has(key), key);
  }
  assert.doesNotMatch(JSON.stringify(drawing.tree), /alert|javascript|http:|onclick|onload|color: red/);
});

test("text stays text, with letters that other fonts have", () => {
  assert.match(words, /<script> ♫ "♩$/);
});

test("references stay in the picture, under ids of its own", () => {
  const uses = all.filter(([name]) => name === "use").map(([, { href }]) => href);
  assert.deepEqual(uses, ["#s1-E050-q", "#s1-E0A4-q", "#s1-E0A4-q", "#s1-E0A4-q", undefined]);
  assert.deepEqual(all.filter(([, { id }]) => id).map(([, { id }]) => id), ["s1-E0A4-q"]);
});

test("notes and measures say which they are", () => {
  const named = all.map(([, attributes]) => attributes["data-note"] ?? attributes["data-measure"]).filter(Boolean);
  assert.deepEqual(named, ["m7.p0", "n3", "n4", "m8.p0", "n4.1"]);
});

test("systems, measures, staves and heads are where they are drawn, in pixels", () => {
  const [system] = drawing.systems;
  assert.deepEqual([drawing.width, drawing.height], [200, 80]);
  assert.deepEqual(system.measures.map(({ index, left, right }) => [index, left, right]), [[7, 4, 84], [8, 84, 164]]);
  assert.deepEqual(system.staves, [{ top: 22, bottom: 50.800000000000004 }]);
  assert.ok(system.measures[0].start > 20 && system.measures[0].start < 40);
  assert.equal(system.measures[1].start, 84);
  assert.deepEqual(drawing.heads.map(({ row, measure, isTied }) => [row, measure, isTied]), [[3, 7, false], [4, 7, false], [4, 8, true]]);
});

test("what is no picture is an error", () => {
  assert.throws(() => parse("nothing at all"), /no picture/);
});
