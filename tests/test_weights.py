"""safetensors in, safetensors out."""

import pytest
import torch
from safetensors.torch import save_file

from hub.errors import LoadError
from hub.weights import load_into


def network():
    made = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    torch.nn.init.uniform_(made[0].weight)
    return made


def save_halves(network, path):
    state = network.state_dict().items()
    save_file({k: v.half() if v.is_floating_point() else v for k, v in state}, path)


def test_halves_are_widened_and_the_network_is_ready_to_run(tmp_path):
    one, other = network(), network()
    save_halves(one, tmp_path / "m.safetensors")
    load_into(other, tmp_path / "m.safetensors")
    assert other[0].weight.dtype == torch.float32
    assert torch.equal(other[0].weight, one[0].weight.half().float())
    assert other[1].num_batches_tracked.dtype == torch.int64
    assert not other.training


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04pickle",
        b"\x80\x04}q\x00.",
        b"\xff" * 64,
        (2**40).to_bytes(8, "little") + b"{}",
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(LoadError, match="not a safetensors file"):
        load_into(network(), path)


def test_missing_truncated_and_misfitting_weights(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(LoadError, match="train the model first"):
        load_into(network(), path)
    save_file({"0.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(LoadError, match="does not fit the network"):
        load_into(network(), path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(LoadError, match="cannot be read"):
        load_into(network(), path)


def test_a_link_is_not_followed(tmp_path):
    save_halves(network(), tmp_path / "real")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "real")
    with pytest.raises(LoadError):
        load_into(network(), tmp_path / "model.safetensors")
