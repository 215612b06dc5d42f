"""Weights: safetensors only, into a network the author built. The one safetensors door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import LoadError

if TYPE_CHECKING:
    import torch

MAX_HEADER_BYTES = 8 << 20


def load_into(network: torch.nn.Module, path: Path) -> None:
    """Fill `network` from a safetensors file, widen halves to float32, switch to eval mode.

    Raises LoadError when the file is missing, damaged, not safetensors, or of other shapes.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file() or path.is_symlink():
        raise LoadError(f'There is no {path.name} in "{path.parent.name}"; train the model first.')
    _check_header(path)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise LoadError(f"{path.name} cannot be read as safetensors: {error}.") from error
    widened = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    try:
        network.load_state_dict(widened, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:400]
        raise LoadError(
            f"{path.name} does not fit the network the card describes: {reason}"
        ) from error
    network.eval()


def _check_header(path: Path) -> None:
    """The header's length comes first (8 bytes, little-endian); a bomb is told from a header."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
            raise LoadError(f"{path.name} is not a safetensors file: its header is damaged.")
        try:
            json.loads(stream.read(size))
        except ValueError as error:
            raise LoadError(
                f"{path.name} is not a safetensors file: its header is damaged."
            ) from error
