"""The page of one Scorehub model. Written by `scorehub space`; the model's card says the rest."""

from pathlib import Path

from hub.ui import hosted

demo = hosted.build(Path(__file__).with_name("models") / "inpaintnet")
demo.launch(**hosted.settings())
