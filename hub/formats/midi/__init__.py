"""Standard MIDI Files, read by `reader`, edited in place by `splice`, rendered by `write`."""

from __future__ import annotations

from hub.formats import Format
from hub.formats.midi.reader import part_keys, read, sniff
from hub.formats.midi.splice import fit, splice
from hub.formats.midi.verify import verify
from hub.formats.midi.write import write

__all__ = ["FORMAT", "fit", "part_keys", "read", "sniff", "splice", "verify", "write"]

FORMAT = Format(
    name="midi",
    label="MIDI",
    extensions=(".mid", ".midi", ".kar", ".rmi"),
    media_type="audio/midi",
    sniff=sniff,
    read=read,
    fit=fit,
    splice=splice,
    verify=verify,
    write=write,
    part_keys=part_keys,
)
