/**
 * Changing notes, without a page: each function takes notes and returns notes; a group moves as one
 * and never leaves the range of MIDI or the beginning of the score.
 *
 * @typedef {import("../score.js").Note} Note
 */
import { snapNear } from "../grid.js";

const within = (value, least, most) => Math.max(least, Math.min(most, value));

/** @param {Note[]} notes */
export function moved(notes, ticks, pitches) {
  const earliest = Math.min(...notes.map((note) => note.onset));
  const lowest = Math.min(...notes.map((note) => note.pitch));
  const highest = Math.max(...notes.map((note) => note.pitch));
  const later = Math.max(ticks, -earliest);
  const higher = within(pitches, -lowest, 127 - highest);
  return notes.map((note) => ({ ...note, onset: note.onset + later, pitch: note.pitch + higher }));
}

/** The same notes in another part. */
export function inPart(notes, part) {
  return notes.map((note) => ({ ...note, part }));
}

/** @param {"left"|"right"} side which end moves; a note keeps at least `leastTicks` */
export function stretched(notes, side, ticks, leastTicks = 1) {
  return notes.map((note) => {
    const least = Math.min(leastTicks, note.duration);
    if (side === "right") return { ...note, duration: Math.max(least, note.duration + ticks) };
    const shift = within(ticks, -note.onset, note.duration - least);
    return { ...note, onset: note.onset + shift, duration: note.duration - shift };
  });
}

export function louder(notes, steps) {
  return notes.map((note) => ({ ...note, velocity: within(Math.round(note.velocity + steps), 1, 127) }));
}

/** Onsets on the nearest grid line; lengths stay. */
export function quantised(notes, score, unit) {
  return notes.map((note) => ({ ...note, onset: snapNear(score, note.onset, unit) }));
}

/** Copied notes, the first at a tick; in a part, or each in its own. */
export function pasted(notes, tick, part = null) {
  const first = Math.min(...notes.map((note) => note.onset));
  const placed = notes.map((note) => ({ ...note, onset: note.onset - first + tick }));
  return part === null ? placed : inPart(placed, part);
}

/**
 * The edit that puts `rows` in place of the notes at `indexes`; null when nothing changes.
 * @param {import("../score.js").Score} score
 */
export function replacing(score, indexes, rows) {
  const removed = [];
  const added = [];
  indexes.forEach((index, i) => {
    if (rows[i] && same(score.note(index), rows[i])) return;
    removed.push(index);
    if (rows[i]) added.push(clean(rows[i]));
  });
  added.push(...rows.slice(indexes.length).map(clean));
  return removed.length || added.length ? { removed, added } : null;
}

function clean({ part, onset, duration, pitch, velocity, voice = 1 }) {
  return { part, onset, duration, pitch, velocity, voice };
}

function same(one, other) {
  return ["part", "onset", "duration", "pitch", "velocity"].every((name) => one[name] === other[name]);
}
