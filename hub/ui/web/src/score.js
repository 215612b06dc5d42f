/**
 * A score as an immutable value, read from what hub/ui/compact.py sends. Times are in ticks.
 *
 * Notes are columns in the order of hub.Score.notes (onset, part, pitch): a note's index here is its
 * row there, so edits and drawings name notes by index.
 *
 * @typedef {{part: number, onset: number, duration: number, pitch: number, velocity: number, voice?: number}} Note
 * @typedef {{id: string, name: string, program: number|null, isDrums: boolean, channel: number|null}} Part
 * @typedef {{removed: number[], added: Note[]}} Edit
 */

/** Column → its type on the wire; hub/ui/compact.py has the same table. */
const COLUMNS = {
  onset: Int32Array,
  duration: Int32Array,
  pitch: Uint8Array,
  velocity: Uint8Array,
  voice: Uint8Array,
  part: Uint16Array,
};

const DEFAULT_QPM = 120;
const DEFAULT_VELOCITY = 80;
const BLOCK_NOTES = 128;

export class Score {
  /** @param {object} fields see `Score.from` */
  constructor(fields) {
    Object.assign(this, fields);
    this.blockEnds = latestEnds(this.notes);
    this.tempoTable = tempoTable(this.tempos, this.ticksPerQuarter);
    Object.freeze(this);
  }

  /** @param {object} json what hub.ui.compact.compact made */
  static from(json) {
    const notes = { count: json.notes.count };
    for (const [name, Type] of Object.entries(COLUMNS)) {
      notes[name] = typeof json.notes[name] === "string" ? decoded(json.notes[name], Type) : Type.from(json.notes[name]);
      if (notes[name].length !== notes.count) throw new Error(`The score's ${name} column is incomplete.`);
    }
    return new Score({ ...json, notes });
  }

  /** An empty score, for a component that has not been given one yet. */
  static empty() {
    const notes = { count: 0 };
    for (const [name, Type] of Object.entries(COLUMNS)) notes[name] = new Type(0);
    return new Score({
      revision: 0, title: "", ticksPerQuarter: 480, endTick: 0, parts: [], tempos: [[0, DEFAULT_QPM]], keys: [],
      measures: { number: [], start: [], length: [], meter: [] }, notes,
    });
  }

  get measureCount() {
    return this.measures.start.length;
  }

  /** @returns {Note} */
  note(index) {
    const { onset, duration, pitch, velocity, voice, part } = this.notes;
    return {
      part: part[index], onset: onset[index], duration: duration[index],
      pitch: pitch[index], velocity: velocity[index], voice: voice[index],
    };
  }

  /**
   * Indexes of the notes that sound somewhere in [startTick, endTick), ascending. Blocks of notes
   * that have all ended are skipped, so a drone from the beginning does not make it slow.
   */
  notesBetween(startTick, endTick) {
    const { onset, duration } = this.notes;
    const last = lowerBound(onset, endTick);
    const found = [];
    for (let block = 0; block * BLOCK_NOTES < last; block++) {
      if (this.blockEnds[block] <= startTick) continue;
      const blockEnd = Math.min(last, (block + 1) * BLOCK_NOTES);
      for (let index = block * BLOCK_NOTES; index < blockEnd; index++) {
        if (onset[index] + duration[index] > startTick) found.push(index);
      }
    }
    return found;
  }

  /** Index of the measure that contains the tick; the last one for ticks past the end. */
  measureAt(tick) {
    return Math.max(0, upperBound(this.measures.start, tick) - 1);
  }

  /** Start tick of a measure; past the end, measures go on like the last one. */
  measureStart(index) {
    const { start, length } = this.measures;
    if (index < start.length) return start[Math.max(0, index)];
    const last = start.length - 1;
    if (last < 0) return index * 4 * this.ticksPerQuarter;
    return start[last] + length[last] + (index - start.length) * length[last];
  }

  measureEnd(index) {
    const { start, length } = this.measures;
    return index < start.length ? start[index] + length[index] : this.measureStart(index + 1);
  }

  /** Like `measureAt`, but counting on past the end. */
  measureIndexBeyond(tick) {
    const count = this.measureCount;
    const end = this.measureStart(count);
    if (tick < end) return this.measureAt(tick);
    const length = count ? this.measures.length[count - 1] : 4 * this.ticksPerQuarter;
    return count + Math.floor((tick - end) / Math.max(1, length));
  }

  /** The meter of a measure as [beats, beatType]. */
  meterOf(index) {
    const text = this.measures.meter[Math.min(Math.max(0, index), this.measureCount - 1)] ?? "4/4";
    const [beats, beatType] = text.split("/").map(Number);
    return [beats || 4, beatType || 4];
  }

  /** Ticks of one beat (of the meter's lower number) in a measure. */
  beatTicks(index) {
    return Math.max(1, Math.round((4 * this.ticksPerQuarter) / this.meterOf(index)[1]));
  }

  /** Seconds from the start, following the tempos. */
  secondsAt(tick) {
    const { ticks, seconds, rates } = this.tempoTable;
    const row = Math.max(0, upperBound(ticks, tick) - 1);
    return seconds[row] + (tick - ticks[row]) * rates[row];
  }

  /** The inverse of `secondsAt`; not rounded. */
  tickAt(second) {
    const { ticks, seconds, rates } = this.tempoTable;
    const row = Math.max(0, upperBound(seconds, second) - 1);
    return ticks[row] + (second - seconds[row]) / rates[row];
  }

  /** The same score with other notes: rows in any order, or columns in order. */
  withNotes(notes, revision = this.revision) {
    const columns = Array.isArray(notes) ? columnsOf(sorted(notes)) : notes;
    return new Score({ ...this.plain(), notes: columns, revision, endTick: Math.max(this.endTick, lastEnd(columns)) });
  }

  /**
   * The score after an edit, and where notes went.
   * @param {Edit} edit
   * @returns {{score: Score, added: number[], movedTo: Int32Array}} indexes of the added notes, and
   *     for every note of this score its index there, -1 where it was removed
   */
  withEdit({ removed, added }) {
    const gone = new Set(removed);
    const coming = sorted(added.map((note, order) => ({ voice: 1, velocity: DEFAULT_VELOCITY, ...note, order })));
    const movedTo = new Int32Array(this.notes.count).fill(-1);
    const places = new Array(added.length);
    const columns = emptyColumns(this.notes.count - gone.size + added.length);
    let place = 0;
    let next = 0;
    const put = (note) => {
      for (const name of Object.keys(COLUMNS)) columns[name][place] = note[name];
      places[note.order] = place++;
    };
    for (let index = 0; index < this.notes.count; index++) {
      if (gone.has(index)) continue;
      while (next < coming.length && comesBefore(coming[next], this.notes, index)) put(coming[next++]);
      for (const name of Object.keys(COLUMNS)) columns[name][place] = this.notes[name][index];
      movedTo[index] = place++;
    }
    while (next < coming.length) put(coming[next++]);
    return { score: this.withNotes(columns), added: places, movedTo };
  }

  plain() {
    const { revision, title, ticksPerQuarter, endTick, parts, measures, tempos, keys } = this;
    return { revision, title, ticksPerQuarter, endTick, parts, measures, tempos, keys };
  }
}

/** First index whose value is at least `value`, in ascending values. */
export function lowerBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index whose value is greater than `value`, in ascending values. */
export function upperBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Every browser runs on little-endian machines, as the wire is. */
function decoded(text, Type) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Type(bytes.buffer);
}

function latestEnds({ count, onset, duration }) {
  const ends = new Float64Array(Math.ceil(count / BLOCK_NOTES));
  for (let i = 0; i < count; i++) {
    const block = Math.floor(i / BLOCK_NOTES);
    ends[block] = Math.max(ends[block], onset[i] + duration[i]);
  }
  return ends;
}

function lastEnd({ count, onset, duration }) {
  let end = 0;
  for (let i = 0; i < count; i++) end = Math.max(end, onset[i] + duration[i]);
  return end;
}

/** Stable, as NumPy's lexsort is: both sides keep equal notes in one order. */
function sorted(rows) {
  return [...rows].sort((a, b) => a.onset - b.onset || a.part - b.part || a.pitch - b.pitch);
}

/** Of equals, the note that was there stays first, as in `Notes + Notes` in Python. */
function comesBefore(note, notes, index) {
  return (note.onset - notes.onset[index] || note.part - notes.part[index] || note.pitch - notes.pitch[index]) < 0;
}

function emptyColumns(count) {
  const columns = { count };
  for (const [name, Type] of Object.entries(COLUMNS)) columns[name] = new Type(count);
  return columns;
}

function columnsOf(rows) {
  const columns = { count: rows.length };
  const defaults = { velocity: DEFAULT_VELOCITY, voice: 1, part: 0 };
  for (const [name, Type] of Object.entries(COLUMNS)) {
    columns[name] = Type.from(rows, (row) => row[name] ?? defaults[name]);
  }
  return columns;
}

function tempoTable(tempos, ticksPerQuarter) {
  const marks = tempos?.length ? tempos : [[0, DEFAULT_QPM]];
  const all = marks[0][0] > 0 ? [[0, DEFAULT_QPM], ...marks] : marks;
  const ticks = all.map(([tick]) => tick);
  const rates = all.map(([, qpm]) => 60 / (qpm * ticksPerQuarter));
  const seconds = [0];
  for (let i = 1; i < all.length; i++) seconds.push(seconds[i - 1] + (ticks[i] - ticks[i - 1]) * rates[i - 1]);
  return { ticks, seconds, rates };
}
