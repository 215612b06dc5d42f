"""Scorehub: models that rewrite any part of a score, given the rest.

score = hub.open_score("tune.mid")
model = hub.load("models/inpaintnet")
takes = hub.inpaint(model, score, hub.Region.measures(score, "7-10"), n=3, seed=42)
open("new.mid", "wb").write(takes[0].data)
"""

from hub.card import ModelCard, read_card
from hub.errors import ScorehubError
from hub.formats import open_score, read_score, write_score
from hub.loading import load
from hub.model import Model, Progress, Request, Take, inpaint, stream
from hub.params import Params
from hub.region import Box, Kept, Region
from hub.score import Key, Measure, Note, Notes, Part, Score, Tempo
from hub.version import __version__ as __version__

__all__ = [
    "Box",
    "Kept",
    "Key",
    "Measure",
    "Model",
    "ModelCard",
    "Note",
    "Notes",
    "Params",
    "Part",
    "Progress",
    "Region",
    "Request",
    "Score",
    "ScorehubError",
    "Take",
    "Tempo",
    "inpaint",
    "load",
    "open_score",
    "read_card",
    "read_score",
    "stream",
    "write_score",
]
