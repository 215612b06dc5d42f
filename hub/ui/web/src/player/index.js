export { midiChannels } from "./midi_channels.js";
export { MidiOut, midiPorts } from "./midi_out.js";
export { LOOK_AHEAD_MS, METRONOME, Player } from "./player.js";
