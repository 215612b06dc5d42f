/** Places, notes and selections as a musician says them: for the status line and screen readers. */

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** 60 → "C4" */
export function pitchName(pitch) {
  return `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** "measure 5, beat 2" */
export function placeWords(score, tick) {
  const index = score.measureIndexBeyond(tick);
  const beat = (tick - score.measureStart(index)) / score.beatTicks(index) + 1;
  return `measure ${numberOf(score, index)}, beat ${Math.round(beat * 100) / 100}`;
}

/** "measures 5 to 8", or from one beat to another where it does not begin and end at bar lines */
export function spanWords(score, startTick, endTick) {
  const first = score.measureIndexBeyond(startTick);
  const last = score.measureIndexBeyond(endTick - 1);
  const isWhole = score.measureStart(first) === startTick && score.measureStart(last + 1) === endTick;
  if (!isWhole) return `${placeWords(score, startTick)} to ${placeWords(score, endTick)}`;
  if (first === last) return `measure ${numberOf(score, first)}`;
  return `measures ${numberOf(score, first)} to ${numberOf(score, last)}`;
}

/** Printed numbers; past the end counted on. */
function numberOf(score, index) {
  const { number } = score.measures;
  return number[index] ?? `${index - number.length + 1} after the end`;
}

/** "Measures 5 to 8, Violin and Cello; 2 notes kept" */
export function selectionWords(score, selection) {
  const kept = selection.kept.length ? `; ${counted(selection.kept.length, "note")} kept` : "";
  if (selection.isEmpty) return `Nothing marked${kept}`;
  const groups = new Map();
  for (const box of selection.boxes) {
    const pitches = box.low > 0 || box.high < 127 ? `, ${pitchName(box.low)} to ${pitchName(box.high)}` : "";
    const words = spanWords(score, box.startTick, box.endTick) + pitches;
    groups.set(words, [...(groups.get(words) ?? []), partName(score, box.partIndex)]);
  }
  const all = [...groups].slice(0, 3).map(([words, parts]) => placeAndParts(words, parts, score.parts.length));
  if (groups.size > 3) all.push(`and ${groups.size - 3} more places`);
  return capital(all.join("; ")) + kept;
}

function placeAndParts(words, parts, count) {
  if (count > 1 && parts.length === count) return `${words}, all parts`;
  return `${words}, ${parts.length > 4 ? `${parts.length} parts` : listed(parts)}`;
}

export function partName(score, partIndex) {
  const part = score.parts[partIndex];
  return part ? part.name || part.id : "all parts";
}

/** "C4, measure 5, beat 2, Violin" */
export function noteWords(score, note) {
  return `${pitchName(note.pitch)}, ${placeWords(score, note.onset)}, ${partName(score, note.part)}`;
}

export function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}

function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
