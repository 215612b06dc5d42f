"""Rebuild the data, train both networks, measure them, export the weights.

    python train.py data   --work DIR [--midi cre.tar.xz]
    python train.py vae    --work DIR --minutes 17 --batch 128 --rate 2e-3
    python train.py latent --work DIR --minutes 48 --batch 32 --rate 1e-3
    python train.py export --work DIR               # model.safetensors beside this file
    python train.py eval   --work DIR --stride 2    # the figures of the card

A stage that is run again goes on from its last checkpoint in DIR; --minutes counts the training
time of all its runs. Every stage appends JSON lines to DIR/log.jsonl. Needs music21, and mido for
--midi. On two shared CPU cores (2.6 GHz) parsing took 2 minutes, and reading the latents, which
`latent` begins with, 5 more.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import data
from model import (
    BLANK,
    HOLD,
    REST,
    TICKS_PER_MEASURE,
    Choice,
    Likeliest,
    MeasureVAE,
    Network,
    Sampler,
    tokens_to_classes,
)

SHIFTS = np.arange(-6, 6)  # semitones: each of the twelve keys, in the nearest octave
HIDDEN, LATENT, EMBEDDING, LAYERS, HEADS = 256, 128, 32, 1, 4
BETA = 1e-3  # weight of KL(q(z|x) || N(0, I)) beside the mean cross-entropy of a token
VAGUE = 0.25  # part of the examples whose z is shrunken towards the prior's mean
BLANKED = 0.5  # part of the examples whose shown tokens are blanked at a random rate


def log(work: Path, **entry) -> None:
    entry = {"time": time.strftime("%H:%M:%S"), **entry}
    print(json.dumps(entry), flush=True)
    with (work / "log.jsonl").open("a") as stream:
        stream.write(json.dumps(entry) + "\n")


# --- data -----------------------------------------------------------------------------------------


def _read(job: tuple[str, str | bytes]) -> tuple[str, str, list[np.ndarray]]:
    """(name, title, segments); for a tune that cannot be read the error, and no segments."""
    from music21.exceptions21 import Music21Exception

    name, content = job
    try:
        read = data.abc_segments if isinstance(content, str) else data.midi_segments
        title, segments = read(content)
    except (Music21Exception, ValueError, EOFError, OSError) as error:
        return name, repr(error), []
    return name, title, segments


def make_data(work: Path, midi: Path | None, processes: int) -> None:
    jobs = list(data.abc_tunes())
    if midi:
        jobs += [(f"cre/{name}", content) for name, content in data.midi_tunes(midi)]
    with multiprocessing.Pool(processes) as pool:
        tunes = pool.map(_read, jobs, chunksize=8)
    failed = [(name, title) for name, title, segments in tunes if not segments]
    tunes = [tune for tune in tunes if tune[2]]
    names, titles, segments = map(list, zip(*tunes, strict=True))
    prints = [data.fingerprints(each) for each in segments]
    splits = data.assign_splits(names, titles, prints)
    flat = [segment for each in segments for segment in each]
    np.savez_compressed(
        work / "data.npz",
        names=np.array(names),
        titles=np.array(titles),
        splits=np.array(splits),
        tokens=np.concatenate(flat),
        segment_length=np.array([len(segment) for segment in flat]),
        segment_tune=np.repeat(np.arange(len(tunes)), [len(each) for each in segments]),
    )
    log(
        work,
        stage="data",
        tunes={split: splits.count(split) for split in ("train", "valid", "test")},
        test_prints_also_in_train=data.shared_prints(prints, splits),
        read=len(jobs),
        without_measures=len(failed),
        unreadable=[tune for tune in failed if "Exception" in tune[1] or "Error" in tune[1]],
    )


class Tunes:
    """The measures of one split (or of all of them), and where runs of measures may be cut."""

    def __init__(self, work: Path, split: str | None):
        with np.load(work / "data.npz") as stored:
            stored = dict(stored)
        lengths = stored["segment_length"]
        segment = np.repeat(np.arange(len(lengths)), lengths)
        room = np.concatenate([np.arange(length, 0, -1) for length in lengths])
        chosen = stored["splits"][stored["segment_tune"]] == split if split else lengths > 0
        keep = chosen[segment]
        self.tokens = stored["tokens"][keep]  # (N, 24)
        self.room = room[keep]  # measures from here to the end of the segment
        self.tune = stored["segment_tune"][segment][keep]
        self.names = stored["names"]

    def unique(self) -> tuple[np.ndarray, np.ndarray]:
        """Unique measures (U, 24) and how often each occurs."""
        return np.unique(self.tokens, axis=0, return_counts=True)


def transposed(tokens: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Tokens (…, 24) with pitches moved by shifts (broadcast), holds and rests left alone."""
    return np.where(tokens > REST, tokens + shifts, tokens)


def to_classes(tokens: np.ndarray) -> Tensor:
    return tokens_to_classes(torch.from_numpy(tokens.astype(np.int64)))


def token_losses(logits: Tensor, classes: Tensor) -> Tensor:
    """Nats of each token: (…, T) from logits (…, T, V)."""
    losses = functional.cross_entropy(logits.flatten(0, -2), classes.flatten(), reduction="none")
    return losses.view(classes.shape)


# --- MeasureVAE -----------------------------------------------------------------------------------


class Stage:
    """Checkpoints, the clock that survives a restart, and a learning rate that follows it."""

    def __init__(self, work: Path, name: str, network, learning_rate: float, minutes: float):
        self.work, self.name, self.network, self.minutes = work, name, network, minutes
        self.path = work / f"{name}.ckpt"
        self.optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
        self.peak, self.step, self.spent, self.saved = learning_rate, 0, 0.0, 0.0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent = state["step"], state["spent"]
        self.started = time.monotonic() - self.spent

    def running(self) -> bool:
        self.spent = time.monotonic() - self.started
        done = min(1.0, self.spent / 60 / self.minutes)
        warm = min(1.0, (self.step + 1) / 100)
        rate = self.peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.spent - self.saved > 120 or done >= 1:
            self.save()
        return done < 1

    def update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1

    def log(self, **entry) -> None:
        log(self.work, stage=self.name, step=self.step, seconds=round(self.spent), **entry)

    def save(self) -> None:
        self.saved = self.spent
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        temporary = self.path.with_suffix(".part")
        torch.save({**state, "step": self.step, "spent": self.spent}, temporary)
        os.replace(temporary, self.path)


def measure_batches(tunes: Tunes, size: int, generator: np.random.Generator):
    """Unique measures, drawn by the root of their count, each in a key of its own."""
    unique, counts = tunes.unique()
    share = np.sqrt(counts) / np.sqrt(counts).sum()
    while True:
        chosen = unique[generator.choice(len(unique), size, p=share)]
        yield to_classes(transposed(chosen, generator.choice(SHIFTS, (size, 1))))


def vae_loss(vae: MeasureVAE, classes: Tensor) -> tuple[Tensor, Tensor]:
    """(cross-entropy of a token, KL of a measure), means over the batch."""
    size = len(classes)
    mean, log_variance = vae.encode(classes)
    z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    shrink = torch.where(torch.rand(size, 1) < VAGUE, torch.rand(size, 1), 1.0)
    z = shrink * z + 0.3 * (1 - shrink) * torch.randn_like(z)
    rate = torch.where(torch.rand(size, 1) < BLANKED, torch.rand(size, 1), 0.0)
    shown = classes.masked_fill(torch.rand(classes.shape) < rate, BLANK)
    cross_entropy = token_losses(vae.decode(z, shown), classes).mean()
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
    return cross_entropy, divergence


@torch.inference_mode()
def reconstruction(vae: MeasureVAE, tokens: np.ndarray) -> dict[str, float]:
    """Greedy, tick by tick, from the mean of z; every measure of a tune counts as often as it
    is played."""
    vae.eval()
    unique, counts = np.unique(tokens, axis=0, return_counts=True)
    right = []
    for chunk in to_classes(unique).split(512):
        answer = vae.generate(vae.encode(chunk)[0], Likeliest().token)
        right.append(answer == chunk)
    right = torch.cat(right).numpy()
    begins = unique > REST
    return {
        "tokens": float(np.average(right.mean(1), weights=counts)),
        "tokens_of_unique_measures": float(right.mean()),
        "onset_pitches": float((right * begins).T.dot(counts).sum() / begins.T.dot(counts).sum()),
        "whole_measures": float(np.average(right.all(1), weights=counts)),
        "measures": int(counts.sum()),
        "unique_measures": len(unique),
    }


def new_vae() -> MeasureVAE:
    return MeasureVAE(HIDDEN, LATENT, EMBEDDING, LAYERS)


def train_vae(work: Path, minutes: float, batch: int, learning_rate: float) -> None:
    torch.manual_seed(0)
    stage = Stage(work, "vae", new_vae(), learning_rate, minutes)
    batches = measure_batches(Tunes(work, "train"), batch, np.random.default_rng(stage.step))
    held_out = Tunes(work, "valid").tokens
    sums = np.zeros(2)
    while stage.running():
        cross_entropy, divergence = vae_loss(stage.network, next(batches))
        stage.update(cross_entropy + BETA * divergence)
        sums += cross_entropy.item(), divergence.item()
        if stage.step % 500 == 0:
            scores = reconstruction(stage.network, held_out[::4])
            stage.network.train()
            stage.log(nats_per_token=sums[0] / 500, kl=sums[1] / 500, valid=scores)
            sums[:] = 0


# --- LatentRNN ------------------------------------------------------------------------------------


class Latents:
    """The mean of z of every measure in every key, read once from the frozen VAE: (U, 12, Z)."""

    def __init__(self, work: Path, vae: MeasureVAE):
        self.unique = np.unique(Tunes(work, None).tokens, axis=0)  # (U, 24)
        path = work / "latents.npy"
        if not path.exists():
            np.save(path.with_suffix(".part.npy"), self._read(vae))
            os.replace(path.with_suffix(".part.npy"), path)
        self.z = torch.from_numpy(np.load(path))  # float16
        self.row = {measure.tobytes(): i for i, measure in enumerate(self.unique)}

    @torch.inference_mode()
    def _read(self, vae: MeasureVAE) -> np.ndarray:
        vae.eval()
        keys = [to_classes(transposed(self.unique, shift)) for shift in SHIFTS]
        read = [torch.cat([vae.encode(c)[0] for c in key.split(1024)]).half() for key in keys]
        return torch.stack(read, 1).numpy()

    def rows(self, tokens: np.ndarray) -> np.ndarray:
        return np.array([self.row[measure.tobytes()] for measure in tokens])


class Windows:
    """Runs of measures of one split: z (B, M, Z) and classes (B, M, T)."""

    def __init__(self, tunes: Tunes, latents: Latents):
        self.room, self.latents = tunes.room, latents
        self.rows = latents.rows(tunes.tokens)

    def starts(self, measures: int) -> np.ndarray:
        return np.flatnonzero(self.room >= measures)

    def cut(self, starts: np.ndarray, measures: int, shifts: np.ndarray) -> tuple[Tensor, Tensor]:
        """Windows from `starts` (B,), each moved by SHIFTS[shifts] semitones."""
        rows = self.rows[starts[:, None] + np.arange(measures)]  # (B, M)
        tokens = transposed(self.latents.unique[rows], SHIFTS[shifts][:, None, None])
        z = self.latents.z[torch.from_numpy(rows), torch.from_numpy(shifts)[:, None]]
        return z.float(), to_classes(tokens)


def draw_shape(generator: np.random.Generator) -> tuple[int, int, int]:
    """Measures before, in and after a gap. Mostly a gap of 2 to 6 in 16 measures, as in section
    3.4 of the paper; sometimes 1, 7 or 8, more context, or little or none on a side."""
    gap = int(generator.choice(8, p=[0.08, 0.17, 0.17, 0.2, 0.15, 0.15, 0.03, 0.05])) + 1
    kind = generator.random()
    total = 16 if kind < 0.6 else 24 if kind < 0.8 else gap + int(generator.integers(0, 16 - gap))
    before = int(generator.integers(0, total - gap + 1))
    return before, gap, total - gap - before


def gap_nats(network: Network, z: Tensor, classes: Tensor, before: int, gap: int) -> Tensor:
    """Nats (B, gap) of the missing measures, every true token and measure before shown.

    A measure is decoded from the new z, or from the z of a context measure. Of the latter only
    those with just these tokens are counted, so the true figure is a little lower.
    """
    past, truth, future = classes.tensor_split((before, before + gap), 1)
    state, context = network.rnn.read(z[:, :before], z[:, before + gap :])
    first = z[:, before - 1 : before] if before else torch.zeros_like(z[:, :1])
    previous = torch.cat([first, z[:, before : before + gap - 1]], 1)
    written, chances, _ = network.rnn.write(state, context, previous, 0, gap)
    new = chances[:, :, 0] - decoding_nats(network.vae, written, truth)
    same = (torch.cat([past, future], 1).unsqueeze(1) == truth.unsqueeze(2)).all(3)  # (B, gap, C)
    repeat = chances[:, :, 1:].masked_fill(~same, -1e9).logsumexp(2)
    with torch.no_grad():
        read_back = decoding_nats(network.vae, z[:, before : before + gap], truth)
    return -torch.logaddexp(new, repeat - read_back)


def decoding_nats(vae: MeasureVAE, z: Tensor, truth: Tensor) -> Tensor:
    """Nats (B, K) of measures (B, K, T), decoded from z (B, K, Z)."""
    logits = vae.decode(z.flatten(0, 1), truth.flatten(0, 1)).unflatten(0, truth.shape[:2])
    return token_losses(logits, truth).sum(2)


def load_vae(work: Path) -> MeasureVAE:
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae.ckpt", weights_only=True)["network"])
    return vae.eval()


def new_network(vae: MeasureVAE) -> Network:
    network = Network(HIDDEN, LATENT, EMBEDDING, LAYERS, HEADS)
    network.vae = vae.requires_grad_(False)
    return network


def train_latent(work: Path, minutes: float, batch: int, learning_rate: float) -> None:
    torch.manual_seed(0)
    network = new_network(load_vae(work))
    latents = Latents(work, network.vae)
    stage = Stage(work, "latent", network.rnn, learning_rate, minutes)
    generator = np.random.default_rng(stage.step)
    windows = Windows(Tunes(work, "train"), latents)
    held_out = Windows(Tunes(work, "valid"), latents)
    total = 0.0
    while stage.running():
        before, gap, after = draw_shape(generator)
        starts = generator.choice(windows.starts(before + gap + after), batch)
        shifts = generator.integers(0, len(SHIFTS), batch)
        z, classes = windows.cut(starts, before + gap + after, shifts)
        loss = gap_nats(network, z, classes, before, gap).mean() / TICKS_PER_MEASURE
        stage.update(loss)
        total += loss.item()
        if stage.step % 250 == 0:
            network.eval()
            valid = inpainting(network, held_out, 16, {"model": likeliest})
            network.rnn.train()
            stage.log(nats_per_token=total / 250, valid=valid)
            total = 0.0


# --- figures --------------------------------------------------------------------------------------

PAST, GAP, FUTURE = 6, 4, 6
REACH = 8


def agreement(answer: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Shares of right tokens, and of right pitches where the truth begins a note."""
    begins = truth > REST
    return {
        "tokens": float((answer == truth).mean()),
        "onset_pitches": float((answer == truth)[begins].mean()),
        "whole_measures": float((answer == truth).all(-1).mean()),
    }


def copies(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two baselines for classes (B, 16, T), both (B, GAP, T): copy from the distance, at most 8,
    at which the known measures repeat each other best; copy the measure, at most 8 away, that
    agrees best with the truth (which no model knows: a ceiling for copying)."""
    size = len(windows)
    known = np.ones(windows.shape[1], bool)
    known[PAST : PAST + GAP] = False
    distances = [d for d in range(-REACH, REACH + 1) if d]
    repeats = np.stack([_repetition(windows, known, d) for d in distances], 1)  # (B, D)
    blind, ceiling = [], []
    for place in range(PAST, PAST + GAP):
        usable = [
            i for i, d in enumerate(distances) if 0 <= place + d < len(known) and known[place + d]
        ]
        sources = np.array([place + distances[i] for i in usable])
        truth = (windows[:, sources] == windows[:, place, None]).mean(2)
        for answers, scores in ((blind, repeats[:, usable]), (ceiling, truth)):
            answers.append(windows[np.arange(size), sources[scores.argmax(1)]])
    return np.stack(blind, 1), np.stack(ceiling, 1)


def _repetition(windows: np.ndarray, known: np.ndarray, distance: int) -> np.ndarray:
    """(B,) share of tokens that agree between known measures `distance` apart."""
    pairs = [(i, i + distance) for i in range(len(known)) if 0 <= i + distance < len(known)]
    pairs = np.array([(i, j) for i, j in pairs if known[i] and known[j]]).reshape(-1, 2)
    return (windows[:, pairs[:, 0]] == windows[:, pairs[:, 1]]).mean((1, 2))


def likeliest(size: int) -> Likeliest:
    return Likeliest()


def default_take(size: int) -> Sampler:
    """The card's default controls."""
    return Sampler(1.0, 0.95, [torch.Generator().manual_seed(i) for i in range(size)], GAP)


def new_measures(answer: np.ndarray, windows: np.ndarray) -> float:
    """Share of the answer's measures (B, GAP, T) that do not occur in the known ones."""
    known = np.concatenate([windows[:, :PAST], windows[:, PAST + GAP :]], 1)
    return float(1 - (answer[:, :, None] == known[:, None]).all(3).any(2).mean())


@torch.inference_mode()
def inpainting(network: Network, tunes: Windows, stride: int, choices: dict) -> dict:
    """Figures of the answers under each of the choices, for gaps of 4 measures with 6 before and
    6 after, and nats a token; the baselines beside."""
    starts = tunes.starts(PAST + GAP + FUTURE)[::stride]
    z, classes = tunes.cut(starts, PAST + GAP + FUTURE, np.full(1, len(SHIFTS) // 2))
    windows = classes.numpy()
    truth = windows[:, PAST : PAST + GAP]
    answers = dict(zip(("copy", "copy, knowing the answer"), copies(windows), strict=True))
    answers["all hold"] = np.full_like(truth, HOLD)
    answers |= {name: answered(network, z, choose) for name, choose in choices.items()}
    figures = {
        name: {**agreement(answer, truth), "new_measures": new_measures(answer, windows)}
        for name, answer in answers.items()
    }
    pairs = zip(z.split(256), classes.split(256), strict=True)
    nats = torch.cat([gap_nats(network, *pair, PAST, GAP) for pair in pairs]).mean()
    return {
        "windows": len(starts),
        "nats_per_token": float(nats) / TICKS_PER_MEASURE,
        "new_measures_of_the_truth": new_measures(truth, windows),
        **figures,
    }


def answered(network: Network, z: Tensor, choose: Callable[[int], Choice]) -> np.ndarray:
    """Answers (B, GAP, T) to the gaps of windows z (B, 16, Z)."""
    parts = [
        network.fill(some[:, :PAST], some[:, PAST + GAP :], GAP, GAP, choose(len(some)))
        for some in z.split(256)
    ]
    return torch.cat(parts).numpy()


def tick_nats(train: np.ndarray, windows: np.ndarray) -> float:
    """Nats a token of the plainest model: how often each class stands on each tick in training."""
    counts = np.ones((TICKS_PER_MEASURE, BLANK))
    np.add.at(counts, (np.arange(TICKS_PER_MEASURE)[None], train), 1)
    chances = counts / counts.sum(1, keepdims=True)
    return float(-np.log(chances[np.arange(TICKS_PER_MEASURE), windows]).mean())


def evaluate(work: Path, stride: int) -> None:
    network = exported(work)
    latents = Latents(work, network.vae)
    test = Tunes(work, "test")
    log(work, stage="eval", split="test", reconstruction=reconstruction(network.vae, test.tokens))
    windows = Windows(test, latents)
    choices = {"model, likeliest": likeliest, "model, one default take": default_take}
    figures = inpainting(network, windows, stride, choices)
    train = to_classes(Tunes(work, "train").tokens).numpy()
    truth = windows.cut(windows.starts(16)[::stride], 16, np.full(1, len(SHIFTS) // 2))[1]
    figures["class frequencies by tick"] = {
        "nats_per_token": tick_nats(train, truth[:, PAST : PAST + GAP].numpy())
    }
    log(work, stage="eval", split="test", inpainting=figures)


# --- weights --------------------------------------------------------------------------------------


def export(work: Path) -> None:
    network = new_network(load_vae(work))
    network.rnn.load_state_dict(torch.load(work / "latent.ckpt", weights_only=True)["network"])
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(halves, HERE / "model.safetensors")
    size = (HERE / "model.safetensors").stat().st_size
    log(work, stage="export", bytes=size, parameters=sum(v.numel() for v in halves.values()))


def exported(work: Path) -> Network:
    """The network with the weights that are shipped."""
    network = new_network(new_vae())
    weights = load_file(HERE / "model.safetensors")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval()


# --- the command line -----------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("stage", choices=("data", "vae", "latent", "export", "eval"))
    parser.add_argument("--work", type=Path, required=True, help="folder for data and checkpoints")
    parser.add_argument(
        "--midi", type=Path, help="data: more tunes, a folder or tar of abc2midi files"
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--stride", type=int, default=2, help="eval: measures between windows")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    if options.stage == "data":
        make_data(options.work, options.midi, options.threads)
    elif options.stage == "vae":
        train_vae(options.work, options.minutes, options.batch, options.rate)
    elif options.stage == "latent":
        train_latent(options.work, options.minutes, options.batch, options.rate)
    elif options.stage == "export":
        export(options.work)
    else:
        evaluate(options.work, options.stride)


if __name__ == "__main__":
    main()
