/** Which MIDI channel each part has. Pure. */

export const CHANNELS = 16;
export const DRUM_CHANNEL = 9; // counted from 0; musicians call it 10
const MELODIC = Array.from({ length: CHANNELS }, (_, channel) => channel).filter((channel) => channel !== DRUM_CHANNEL);

/**
 * Drums on 10, every other part on one of its own; from the sixteenth on, parts share: with one of
 * the same program, else in turn.
 *
 * @param {{program: number|null, isDrums: boolean}[]} parts
 * @returns {number[]} part index → channel, 0 to 15
 */
export function midiChannels(parts) {
  const ofProgram = new Map();
  let melodic = 0;
  return parts.map(({ program, isDrums }) => {
    if (isDrums) return DRUM_CHANNEL;
    const place = melodic++;
    if (place >= MELODIC.length && ofProgram.has(program)) return ofProgram.get(program);
    const channel = MELODIC[place % MELODIC.length];
    if (!ofProgram.has(program)) ofProgram.set(program, channel);
    return channel;
  });
}
