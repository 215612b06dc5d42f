// Runs after panel.js where measures may be marked by pointing at them. Fires `pick`, {first, last}.
// A click marks one measure, a drag or a shift-click (on touch: a second tap) a range.
let anchor = null;
let dragging = false;
let isRange = false;

const measureAt = (event) => {
  const place = document.elementFromPoint(event.clientX, event.clientY);
  const measure = place && place.closest("[data-measure]");
  return measure && root.contains(measure) ? Number(measure.dataset.measure) : null;
};
const ends = (index) => [Math.min(anchor, index), Math.max(anchor, index)];
const mark = (index) => {
  const [first, last] = ends(index);
  for (const measure of root.querySelectorAll("[data-measure]")) {
    const here = Number(measure.dataset.measure);
    measure.classList.toggle("sh-picked", here >= first && here <= last);
  }
};

// Notation comes with measures as groups "…-m<index>.p<part>"; each gets a rectangle to point at.
const addTargets = () => {
  for (const group of root.querySelectorAll("svg.notation g.measure")) {
    const index = /-m(\d+)\.p/.exec(group.id);
    if (!index) continue;
    const staves = [...group.querySelectorAll(":scope > g.staff")].map((staff) => staff.getBBox());
    if (!staves.length) continue;
    const left = Math.min(...staves.map((box) => box.x));
    const top = Math.min(...staves.map((box) => box.y));
    const target = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    target.dataset.measure = index[1];
    target.setAttribute("x", left);
    target.setAttribute("y", top);
    target.setAttribute("width", Math.max(...staves.map((box) => box.x + box.width)) - left);
    target.setAttribute("height", Math.max(...staves.map((box) => box.y + box.height)) - top);
    target.setAttribute("fill-opacity", "0");
    target.setAttribute("stroke", "none");
    group.append(target);
  }
};
addTargets();
watch("value", addTargets);

root.addEventListener("pointerdown", (event) => {
  const index = measureAt(event);
  if (index === null || event.button !== 0) return;
  const extend = anchor !== null && (event.shiftKey || (event.pointerType === "touch" && !isRange));
  if (!extend) anchor = index;
  isRange = extend;
  dragging = event.pointerType === "mouse"; // a finger drags the page instead
  mark(index);
  if (dragging) event.preventDefault();
});
root.addEventListener("pointermove", (event) => {
  const index = dragging ? measureAt(event) : null;
  if (index !== null) mark(index);
});
root.addEventListener("click", (event) => {
  dragging = false;
  const index = measureAt(event);
  if (index === null || anchor === null) return;
  const [first, last] = ends(index);
  trigger("pick", { first, last });
});
window.addEventListener("pointerup", () => { dragging = false; });
