/**
 * The keyboard on the stage. A cursor stands at a tick, in a part, at a pitch; Select and Lock move
 * it by the unit of the card and by parts, Edit by the grid and by pitches.
 */
import { nextLine, previousLine, snapDown } from "../grid.js";
import { boxesOfDrag, changedSelection } from "./drags.js";
import { louder, moved, stretched } from "./edits.js";
import { capital, noteWords, pitchName, placeWords, partName, spanWords } from "./words.js";

const TOOLS = { 1: "select", 2: "edit", 3: "lock" };
const VELOCITY_STEP = 8;
const JUMP_MEASURES = 8;

/** @returns {boolean} was the key for us? */
export function pressKey(roll, event) {
  if (!roll.score.parts.length) return false;
  const hasCommand = event.ctrlKey || event.metaKey;
  if (hasCommand && COMMANDS[event.key.toLowerCase()]) return COMMANDS[event.key.toLowerCase()](roll);
  if (ARROWS[event.key]) return arrow(roll, ARROWS[event.key], event);
  if (hasCommand || (event.altKey && event.key !== "Enter")) return false;
  if (TOOLS[event.key]) return done(roll.setTool(TOOLS[event.key]));
  const run = PLAIN[event.key] ?? PLAIN[event.key.toLowerCase()];
  return run ? run(roll, event) !== false : false;
}

const done = () => true;

const COMMANDS = {
  c: (roll) => done(roll.copy()),
  x: (roll) => done(roll.copy(), roll.removeNotes([...roll.chosen])),
  v: (roll) => done(roll.paste()),
  a: (roll) => done(roll.selectAll()),
};

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const PLAIN = {
  enter: (roll) => activate(roll),
  " ": (roll) => activate(roll),
  delete: (roll) => removeOrClear(roll),
  backspace: (roll) => removeOrClear(roll),
  escape: (roll) => roll.escape(),
  home: (roll, event) => jump(roll, 0, event.shiftKey),
  end: (roll, event) => jump(roll, Math.max(0, roll.limits.endTick - 1), event.shiftKey),
  pageup: (roll) => roll.scrollBy(0, -roll.view.contentHeight * 0.8),
  pagedown: (roll) => roll.scrollBy(0, roll.view.contentHeight * 0.8),
  ",": (roll) => toNote(roll, -1),
  ".": (roll) => toNote(roll, 1),
  "[": (roll) => changeChosen(roll, (notes) => louder(notes, -VELOCITY_STEP)),
  "]": (roll) => changeChosen(roll, (notes) => louder(notes, VELOCITY_STEP)),
  q: (roll) => roll.quantise(),
  "+": (roll) => roll.zoomTime(1.4),
  "=": (roll) => roll.zoomTime(1.4),
  "-": (roll) => roll.zoomTime(1 / 1.4),
  h: (roll, event) => roll.zoomRows(event.shiftKey ? 0.8 : 1.25),
  0: (roll) => roll.fitTime(),
  "?": (roll) => roll.showHelp(),
};

function arrow(roll, [across, up], event) {
  const isEditing = roll.tool === "edit";
  if (isEditing && event.altKey && roll.chosen.size) return moveChosen(roll, across, up, event.shiftKey);
  const cursor = roll.cursor ?? roll.startCursor();
  if (event.shiftKey) roll.anchor ??= { ...cursor };
  else roll.anchor = null;
  roll.moveCursor(stepped(roll, cursor, across, up, event));
  if (event.shiftKey) return extend(roll);
  return done(roll.announce(cursorWords(roll)));
}

function stepped(roll, cursor, across, up, event) {
  const next = { ...cursor };
  if (across) next.tick = steppedTick(roll, cursor.tick, across, event);
  if (up && movesByPitch(roll)) next.pitch = Math.max(0, Math.min(127, cursor.pitch + up * (event.ctrlKey ? 12 : 1)));
  else if (up) {
    next.part = Math.max(0, Math.min(roll.score.parts.length - 1, cursor.part - up));
    const [low, high] = roll.ranges[next.part];
    next.pitch = Math.max(low, Math.min(high, cursor.pitch));
  }
  return next;
}

function movesByPitch(roll) {
  return roll.tool !== "select" || roll.byPitch;
}

function steppedTick(roll, tick, across, event) {
  const { score, limits } = roll;
  let place = tick;
  const unit = event.altKey && limits.accepts.unit !== "measure" ? "beat" : roll.cursorUnit;
  const times = event.ctrlKey || event.metaKey ? JUMP_MEASURES : 1;
  for (let i = 0; i < times; i++) {
    const step = times > 1 ? "measure" : unit;
    place = across > 0 ? nextLine(score, snapDown(score, place, step), step) : previousLine(score, place, step);
  }
  return Math.max(0, Math.min(place, snapDown(score, Math.max(0, limits.endTick - 1), unit)));
}

/** Shift and arrows: mark, or choose notes, from where Shift was first pressed to the cursor. */
function extend(roll) {
  if (roll.tool !== "select") return chooseBetween(roll);
  const boxes = boxesOfDrag(roll.limits, roll.anchor, roll.cursor, { grid: roll.gridTicks, byPitch: roll.byPitch });
  return done(roll.commitSelection(roll.selection.replacedBy(...boxes)));
}

function chooseBetween(roll) {
  const { anchor, cursor, score } = roll;
  const [from, to] = [Math.min(anchor.tick, cursor.tick), Math.max(anchor.tick, cursor.tick)];
  const [low, high] = [Math.min(anchor.pitch, cursor.pitch), Math.max(anchor.pitch, cursor.pitch)];
  const end = nextLine(score, to, roll.cursorUnit);
  const isIn = ({ part, onset, pitch }) => part === cursor.part && onset >= from && onset < end && pitch >= low && pitch <= high;
  return done(roll.choose(score.notesBetween(from, end).filter((index) => isIn(score.note(index)))));
}

/** Enter: mark the place, draw or choose the note, lock it. */
function activate(roll) {
  const cursor = roll.cursor ?? roll.startCursor();
  roll.moveCursor(cursor);
  if (roll.tool === "select") return toggleCell(roll, cursor);
  const note = roll.noteUnder(cursor);
  if (roll.tool === "lock") return done(note >= 0 ? roll.toggleKept([note]) : roll.announce("No note here"));
  if (note >= 0) return done(roll.choose(roll.chosen.has(note) ? [...roll.chosen].filter((one) => one !== note) : [...roll.chosen, note]));
  return done(roll.replaceNotes([], [roll.noteAt(cursor.part, cursor.pitch, cursor.tick)]));
}

function toggleCell(roll, cursor) {
  const boxes = boxesOfDrag(roll.limits, cursor, cursor, { grid: roll.gridTicks, byPitch: roll.byPitch });
  if (!boxes.length) return done(roll.announce(`This model does not write ${partName(roll.score, cursor.part)}`));
  return done(roll.commitSelection(changedSelection(roll.selection, boxes, "toggle")));
}

function removeOrClear(roll) {
  if (roll.tool === "edit") return done(roll.removeNotes([...roll.chosen]));
  if (roll.tool === "select" && !roll.selection.isEmpty) return done(roll.commitSelection(roll.selection.cleared()));
  return false;
}

function jump(roll, tick, extends_) {
  const cursor = roll.cursor ?? roll.startCursor();
  if (extends_) roll.anchor ??= { ...cursor };
  else roll.anchor = null;
  roll.moveCursor({ ...cursor, tick: snapDown(roll.score, tick, roll.cursorUnit) });
  return extends_ ? extend(roll) : done(roll.announce(cursorWords(roll)));
}

/** To the note before or after, in the cursor's part. */
function toNote(roll, direction) {
  const cursor = roll.cursor ?? roll.startCursor();
  const index = roll.noteBeside(cursor, direction);
  if (index < 0) return done(roll.announce("No more notes in this part"));
  const note = roll.score.note(index);
  roll.moveCursor({ tick: note.onset, part: note.part, pitch: note.pitch });
  if (roll.tool === "edit") roll.choose([index], { quietly: true });
  return done(roll.announce(noteWords(roll.score, note) + (roll.selection.keeps(note) ? ", kept" : "")));
}

function moveChosen(roll, across, up, isStretching) {
  const first = Math.min(...[...roll.chosen].map((index) => roll.score.notes.onset[index]));
  const ticks = across > 0 ? nextLine(roll.score, first, roll.gridTicks) - first : across * roll.gridTicks;
  if (isStretching && across) return changeChosen(roll, (notes) => stretched(notes, "right", across * roll.gridTicks, roll.gridTicks));
  return changeChosen(roll, (notes) => moved(notes, ticks, isStretching ? up * 12 : up));
}

function changeChosen(roll, change) {
  if (!roll.chosen.size || roll.tool !== "edit") return false;
  const indexes = [...roll.chosen];
  return done(roll.replaceNotes(indexes, change(indexes.map((index) => roll.score.note(index)))));
}

function cursorWords(roll) {
  const { cursor, score } = roll;
  const pitch = movesByPitch(roll) ? `${pitchName(cursor.pitch)}, ` : "";
  const place = roll.cursorUnit === "measure" ? spanWords(score, ...roll.limits.fit(cursor.tick, cursor.tick, "measure")) : placeWords(score, cursor.tick);
  const note = roll.tool === "select" ? -1 : roll.noteUnder(cursor);
  return `${capital(pitch + place)}, ${partName(score, cursor.part)}${note >= 0 ? ", a note" : ""}`;
}
