"""InpaintNet: fill missing measures of a melody from the measures before and after them.

Pati, Lerch, Hadjeres, "Learning to Traverse Latent Spaces for Musical Score Inpainting",
ISMIR 2019. MeasureVAE (their section 3.2) maps one measure to a latent vector z and back; LatentRNN
(section 3.3) reads the z of the measures around a gap and writes the z of the measures in it.

Conventions. A measure is 4 quarters and 24 uneven ticks: 6 a beat, at 0, 1/4, 1/3, 1/2, 2/3 and
3/4 of it (section 3.5), so that sixteenths and triplets are both exact. A *token* is HOLD (what
sounded, or the silence, goes on), REST, or the MIDI pitch that begins. A *class* is a token's row
in the network. B: batch, M: measures, P, K, F: measures before, in and after the gap, T: 24 ticks,
V: classes, H: hidden, E: embedding, Z: latent.

Deviations from the paper:
* half the widths (H 256, Z 128) and one GRU layer where the paper has two (except the beat GRU),
  for two CPU cores;
* the tick GRU keeps its state from beat to beat, where the paper restarts it, and no ReLU stands
  before the softmax;
* vocabulary: MIDI pitches, not note names, so a transposition is an addition;
* in training the decoder sees previous tokens with some of them blanked, instead of its own samples
  in half of the batches, and sometimes a shrunken z: it so learns what to do with a vague z;
* LatentRNN reads back each measure that it wrote (tokens -> z) before it writes the next; it looks
  at the context measures through attention, helped by hints of where the tune repeats itself, and
  may answer with the z of one of them, since most missing measures occur in their context. The
  paper has only the two summaries, and one z that must hedge between such measures;
* a new measure's z is drawn a little towards that of a context measure (`Choice.pull`);
* LatentRNN is trained on the likelihood of the tokens, through the frozen decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import hub

HOLD, REST = 0, 1
DEFAULT_VELOCITY = 80
LOWEST, HIGHEST = 45, 98  # MIDI pitches that the network knows
BLANK = HIGHEST - LOWEST + 3  # the class of a token that is not shown
CLASSES = BLANK  # V: what may be answered
HINTS = 4  # signs that one measure repeats another, see LatentRNN._hints

QUARTERS_PER_MEASURE = 4
TICKS_PER_BEAT = 6
TICKS_PER_MEASURE = QUARTERS_PER_MEASURE * TICKS_PER_BEAT
BEAT_FRACTIONS = np.array([0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4])
_EDGES = (BEAT_FRACTIONS + np.append(BEAT_FRACTIONS[1:], 1)) / 2  # between a tick and the next


# --- notes <-> tokens -----------------------------------------------------------------------------


def quarters_to_tick(quarters: np.ndarray | float) -> np.ndarray:
    """The nearest of the 24 uneven ticks a measure, counted from 0 at quarter 0."""
    beat = np.floor(quarters)
    return (beat * TICKS_PER_BEAT + np.searchsorted(_EDGES, quarters - beat)).astype(int)


def tick_to_quarters(tick: np.ndarray | int) -> np.ndarray:
    return np.asarray(tick) // TICKS_PER_BEAT + BEAT_FRACTIONS[np.asarray(tick) % TICKS_PER_BEAT]


def notes_to_tokens(notes: Sequence[tuple[float, float, int]], measures: int) -> np.ndarray:
    """(measures, 24) int16 tokens of (onset, duration, pitch), in quarters from the first measure.

    One note at a time: a later onset ends the note before, of equal onsets the highest stays.
    A note that began before the first measure is held into it.
    """
    total = measures * TICKS_PER_MEASURE
    tokens = np.full(total, HOLD, dtype=np.int16)
    silent_from = 0
    tokens[:1] = REST
    for onset, duration, pitch in sorted(notes, key=lambda note: (note[0], note[2])):
        start, end = (int(quarters_to_tick(q)) for q in (onset, onset + duration))
        if start >= total or end < 0 or (end == 0 and start < 0):
            continue
        if start < 0:
            tokens[0] = HOLD
        else:
            if start > silent_from:
                tokens[silent_from] = REST
            tokens[silent_from + 1 : start] = HOLD
            tokens[start] = pitch
        silent_from = max(end, start + 1, 0)
        tokens[max(start + 1, 0) : silent_from] = HOLD
        tokens[silent_from : silent_from + 1] = REST
    return tokens.reshape(measures, TICKS_PER_MEASURE)


def tokens_to_notes(tokens: np.ndarray) -> list[tuple[float, float, int]]:
    """(onset, duration, pitch) in quarters; a HOLD before the first note or rest is silence."""
    flat = np.asarray(tokens).reshape(-1)
    begins = np.append(np.flatnonzero(flat != HOLD), len(flat))
    edges = tick_to_quarters(begins)
    return [
        (float(edges[i]), float(edges[i + 1] - edges[i]), int(flat[tick]))
        for i, tick in enumerate(begins[:-1])
        if flat[tick] != REST
    ]


def tokens_to_classes(tokens: Tensor) -> Tensor:
    """Pitches outside the network's range are folded into it by octaves."""
    low = torch.div(LOWEST - tokens + 11, 12, rounding_mode="floor").clamp(min=0)
    high = torch.div(tokens - HIGHEST + 11, 12, rounding_mode="floor").clamp(min=0)
    return torch.where(tokens > REST, tokens + 12 * (low - high) - LOWEST + 2, tokens)


def classes_to_tokens(classes: Tensor) -> Tensor:
    return torch.where(classes > REST, classes + LOWEST - 2, classes)


# --- the network ----------------------------------------------------------------------------------


class MeasureVAE(nn.Module):
    """One measure of classes (B, T) <-> one latent vector (B, Z)."""

    def __init__(self, hidden: int, latent: int, embedding: int, layers: int):
        super().__init__()
        self.embed = nn.Embedding(CLASSES + 1, embedding)
        self.encoder = nn.GRU(embedding, hidden, layers, batch_first=True, bidirectional=True)
        self.to_mean = nn.Linear(2 * layers * hidden, latent)
        self.to_log_variance = nn.Linear(2 * layers * hidden, latent)
        self.beat_start = nn.Linear(latent, 2 * hidden)
        self.beat_rnn = nn.GRU(latent, hidden, 2, batch_first=True)
        self.tick_start = nn.Linear(hidden, hidden)
        self.tick_rnn = nn.GRU(embedding + hidden, hidden, batch_first=True)
        self.to_logits = nn.Linear(hidden, CLASSES)

    def encode(self, classes: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T) -> mean and log variance of z, each (B, Z)."""
        states = self.encoder(self.embed(classes))[1]  # (2 * layers, B, H)
        summary = states.transpose(0, 1).flatten(1)  # (B, 2 * layers * H)
        return self.to_mean(summary), self.to_log_variance(summary).clamp(-12, 4)

    def beats(self, z: Tensor) -> Tensor:
        """(B, Z) -> (B, 4, H): what the tick GRU is told in each beat."""
        start = torch.tanh(self.beat_start(z)).unflatten(1, (2, -1)).transpose(0, 1)
        inputs = z.unsqueeze(1).expand(-1, QUARTERS_PER_MEASURE, -1)
        return self.beat_rnn(inputs, start.contiguous())[0]

    def decode(self, z: Tensor, shown: Tensor) -> Tensor:
        """Logits (B, T, V), given z (B, Z) and the tokens shown at the tick before (B, T)."""
        beats = self.beats(z)
        previous = functional.pad(shown[:, :-1], (1, 0), value=BLANK)
        per_tick = beats.repeat_interleave(TICKS_PER_BEAT, dim=1)  # (B, T, H)
        start = torch.tanh(self.tick_start(beats[:, 0])).unsqueeze(0)
        inputs = torch.cat([self.embed(previous), per_tick], dim=2)
        return self.to_logits(self.tick_rnn(inputs, start)[0])

    def generate(self, z: Tensor, pick: Callable[[Tensor], Tensor]) -> Tensor:
        """Classes (B, T), tick by tick; `pick` is Choice.token.

        The input projections of all beats and of all classes are computed once, before the loop.
        """
        width = self.embed.embedding_dim
        beats = self.beats(z)
        input_weight, bias = self.tick_rnn.weight_ih_l0, self.tick_rnn.bias_ih_l0
        by_class = functional.linear(self.embed.weight, input_weight[:, :width])  # (V + 1, 3H)
        by_beat = functional.linear(beats, input_weight[:, width:], bias)  # (B, 4, 3H)
        state = torch.tanh(self.tick_start(beats[:, 0]))
        previous = torch.full((len(z),), BLANK, dtype=torch.long)
        picked = []
        for tick in range(TICKS_PER_MEASURE):
            state = self._tick(by_class[previous] + by_beat[:, tick // TICKS_PER_BEAT], state)
            previous = pick(self.to_logits(state))
            picked.append(previous)
        return torch.stack(picked, dim=1)

    def _tick(self, inputs: Tensor, state: Tensor) -> Tensor:
        """One GRU step (B, H) -> (B, H), its input already projected to (B, 3H)."""
        hidden = state.shape[1]
        rnn = self.tick_rnn
        recurrent = functional.linear(state, rnn.weight_hh_l0, rnn.bias_hh_l0)
        gates = torch.sigmoid(inputs[:, : 2 * hidden] + recurrent[:, : 2 * hidden])
        reset, update = gates[:, :hidden], gates[:, hidden:]
        new = torch.tanh(inputs[:, 2 * hidden :] + reset * recurrent[:, 2 * hidden :])
        return torch.lerp(new, state, update)


class Context(NamedTuple):
    """What LatentRNN knows about the C = P + F measures around a gap."""

    keys: Tensor  # (B, C, H)
    latents: Tensor  # (B, C, Z)
    past: int  # P
    likeness: Tensor  # (B, C, C), 1 on the diagonal

    def places(self, gap: int) -> Tensor:
        """(C,) measure numbers counted from the first of the gap: -P … -1, gap … gap + F - 1."""
        count = self.latents.shape[1]
        return torch.cat([torch.arange(-self.past, 0), torch.arange(gap, gap + count - self.past)])


class LatentRNN(nn.Module):
    """The z of missing measures (B, K, Z), from the z before (B, P, Z) and after (B, F, Z) them.

    P or F may be 0. `farthest` bounds what is told apart: distances between measures, and the
    number of measures already written and still to write in the gap.
    """

    def __init__(self, hidden: int, latent: int, heads: int, farthest: int = 20):
        super().__init__()
        self.heads, self.farthest = heads, farthest
        self.past_rnn = nn.GRU(latent, hidden, batch_first=True, bidirectional=True)
        self.future_rnn = nn.GRU(latent, hidden, batch_first=True, bidirectional=True)
        self.start = nn.Linear(2 * hidden, hidden)
        self.to_keys = nn.Linear(2 * hidden, hidden)
        self.to_query = nn.Linear(hidden, hidden)
        self.distance = nn.Embedding(2 * farthest + 1, hidden)
        self.written = nn.Embedding(farthest + 1, 16)
        self.unwritten = nn.Embedding(farthest + 1, 16)
        self.generation_rnn = nn.GRU(latent + 32, hidden, batch_first=True)
        self.unlikeness = nn.Parameter(torch.tensor(3.7))  # log of the z distance that is "alike"
        self.by_likeness = nn.Linear(HINTS, heads)
        nn.init.uniform_(self.by_likeness.weight, 1, 4)
        self.mix = nn.Sequential(
            nn.Linear(hidden + heads * HINTS, hidden), nn.SELU(), nn.Linear(hidden, heads + 1)
        )
        self.compose = nn.Sequential(
            nn.Linear(hidden + heads * latent, 2 * hidden),
            nn.SELU(),
            nn.Dropout(0.2),
            nn.Linear(2 * hidden, latent),
        )
        self.to_pointer = nn.Linear(hidden, hidden)
        self.point_by_likeness = nn.Linear(HINTS, 1)
        nn.init.uniform_(self.point_by_likeness.weight, 1, 4)
        self.to_compose = nn.Sequential(
            nn.Linear(hidden + heads * HINTS, hidden), nn.SELU(), nn.Linear(hidden, 1)
        )
        self.drop = nn.Dropout(0.1)

    def read(self, past: Tensor, future: Tensor) -> tuple[Tensor, Context]:
        """State (1, B, H) of the generation GRU before the gap, and what it may look at."""
        hidden = self.start.out_features
        before = self._run(self.past_rnn, past)  # (B, P, 2H)
        after = self._run(self.future_rnn, future)  # (B, F, 2H)
        nothing = past.new_zeros(len(past), hidden)
        newest = before[:, -1, :hidden] if past.shape[1] else nothing
        next_one = after[:, 0, hidden:] if future.shape[1] else nothing
        state = torch.tanh(self.start(torch.cat([newest, next_one], 1))).unsqueeze(0)
        latents = torch.cat([past, future], 1)
        keys = self.to_keys(torch.cat([before, after], 1))
        return state, Context(keys, latents, past.shape[1], self._likeness(latents, latents))

    def _run(self, rnn: nn.GRU, z: Tensor) -> Tensor:
        if z.shape[1] == 0:
            return z.new_zeros(len(z), 0, 2 * rnn.hidden_size)
        return rnn(self.drop(z))[0]

    def _likeness(self, one: Tensor, other: Tensor) -> Tensor:
        """(B, N, M) in 0 … 1, from z (B, N, Z) and (B, M, Z)."""
        apart = (one.unsqueeze(2) - other.unsqueeze(1)).square().sum(3)
        return torch.exp(-apart / self.unlikeness.exp())

    def write(
        self, state: Tensor, context: Context, previous: Tensor, first: int, gap: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """For measures first … first + K - 1 of the gap: a new z (B, K, Z); the log probabilities
        (B, K, 1 + C) that the new z, or that of a context measure, is the one; the GRU's state.

        `previous` (B, K, Z): the z of the measure before each of them.
        """
        index = torch.arange(first, first + previous.shape[1])  # (K,)
        counts = torch.cat(
            [
                self.written(index.clamp(max=self.farthest)),
                self.unwritten((gap - 1 - index).clamp(max=self.farthest)),
            ],
            dim=1,
        ).expand(len(previous), -1, -1)
        inputs = torch.cat([self.drop(previous), counts], 2)
        hidden, state = self.generation_rnn(inputs, state)  # (B, K, H)
        if context.latents.shape[1] == 0:
            seen = previous.new_zeros(*hidden.shape[:2], self.heads, previous.shape[2])
            hints = previous.new_zeros(*hidden.shape[:2], self.heads, HINTS)
            points = previous.new_zeros(*hidden.shape[:2], 0)
        else:
            seen, hints, points = self._attend(hidden, context, previous, index, gap)
        summary = torch.cat([hidden, hints.flatten(2)], 2)
        shares = self.mix(summary).softmax(2).unsqueeze(3)  # (B, K, 1 + heads, 1)
        composed = self.compose(torch.cat([hidden, seen.flatten(2)], 2)).unsqueeze(2)
        z = (shares * torch.cat([composed, seen], 2)).sum(2)
        chances = torch.cat([self.to_compose(summary), points], 2).softmax(2)
        return z, self._merged(chances, context).clamp(min=1e-9).log(), state

    def _merged(self, chances: Tensor, context: Context) -> Tensor:
        """(B, K, 1 + C) with the chances of equal context measures given to the first of them."""
        if context.latents.shape[1] == 0:
            return chances
        first = (context.likeness > 0.99).float().argmax(2)  # (B, C)
        first = first.unsqueeze(1).expand(-1, chances.shape[1], -1)
        merged = torch.zeros_like(chances[:, :, 1:]).scatter_add(2, first, chances[:, :, 1:])
        return torch.cat([chances[:, :, :1], merged], 2)

    def _attend(
        self, hidden: Tensor, context: Context, previous: Tensor, index: Tensor, gap: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The z (B, K, heads, Z) and hints (B, K, heads, HINTS) that each head sees, and scores
        (B, K, C) for repeating a context measure."""
        apart = context.places(gap).unsqueeze(0) - index.unsqueeze(1)  # (K, C)
        rows = apart.clamp(-self.farthest, self.farthest) + self.farthest
        offsets = self.distance(rows)  # (K, C, H)
        hints = self._hints(context, previous, apart, gap)  # (B, K, C, HINTS)
        scores = self._scores(self.to_query(hidden), context.keys, offsets, self.heads)
        weights = (scores + self.by_likeness(hints).transpose(2, 3)).softmax(3)
        points = self._scores(self.to_pointer(hidden), context.keys, offsets, 1)[:, :, 0]
        points = points + self.point_by_likeness(hints)[..., 0]
        return weights @ context.latents.unsqueeze(1), weights @ hints, points

    def _scores(self, query: Tensor, keys: Tensor, offsets: Tensor, heads: int) -> Tensor:
        """(B, K, heads, C) from queries (B, K, H), keys (B, C, H) and offsets (K, C, H)."""
        query = query.unflatten(2, (heads, -1))  # (B, K, heads, D)
        scores = torch.einsum("bkhd,bchd->bkhc", query, keys.unflatten(2, (heads, -1)))
        scores = scores + torch.einsum("bkhd,kchd->bkhc", query, offsets.unflatten(2, (heads, -1)))
        return scores / query.shape[3] ** 0.5

    def _hints(self, context: Context, previous: Tensor, apart: Tensor, gap: int) -> Tensor:
        """(B, K, C, HINTS): why measure c may be a copy of measure k, d measures away from it.

        How alike are, on average, known measures d apart; the last measure before the gap and the
        one d from it; the first measure after the gap and the one d from it; the measure before k
        and the one before c.
        """
        alike, past = context.likeness, context.past
        places = context.places(gap)
        distances = places.unsqueeze(0) - places.unsqueeze(1)  # (C, C)
        zero = int(max(distances.max(), apart.abs().max()))  # the column of distance 0
        columns = (distances + zero).flatten()
        table = alike.new_zeros(3, len(alike), 2 * zero + 1)
        pairs = torch.bincount(columns, minlength=2 * zero + 1)
        table[0] = table[0].index_add(1, columns, alike.flatten(1)) / (pairs + 0.5)
        if past:
            table[1][:, distances[past - 1] + zero] = alike[:, past - 1]
        if past < len(places):
            table[2][:, distances[past] + zero] = alike[:, past]
        led_by = functional.pad(self._likeness(previous, context.latents)[:, :, :-1], (1, 0))
        follows = functional.pad(places.diff() == 1, (1, 0))
        hints = table[:, :, apart + zero]  # (3, B, K, C)
        return torch.cat([hints, (led_by * follows).unsqueeze(0)]).permute(1, 2, 3, 0)


class Network(nn.Module):
    """Both halves; `fill` is what a user hears."""

    def __init__(self, hidden: int, latent: int, embedding: int, layers: int, heads: int):
        super().__init__()
        self.vae = MeasureVAE(hidden, latent, embedding, layers)
        self.rnn = LatentRNN(hidden, latent, heads)

    def read(self, classes: Tensor) -> Tensor:
        """z (M, Z) of measures (M, T), M may be 0."""
        if len(classes) == 0:
            return torch.zeros(0, self.vae.to_mean.out_features)
        return self.vae.encode(classes)[0]

    def fill(self, past: Tensor, future: Tensor, gap: int, count: int, choice: Choice) -> Tensor:
        """Classes (B, count, T) of the first `count` measures of a gap between z before (B, P, Z)
        and z after (B, F, Z).

        One measure after the other: write z, or repeat one; decode it tick by tick, read the
        result back as z.
        """
        state, context = self.rnn.read(past, future)
        previous = past[:, -1:] if past.shape[1] else past.new_zeros(len(past), 1, past.shape[2])
        measures: list[Tensor] = []
        for index in range(count):
            if measures:
                previous = self.read(measures[-1]).unsqueeze(1)
            z, chances, state = self.rnn.write(state, context, previous, index, gap)
            z = self._chosen(z[:, 0], chances[:, 0], context.latents, choice)
            measures.append(self.vae.generate(z, choice.token))
        return torch.stack(measures, 1)

    def _chosen(self, new: Tensor, chances: Tensor, latents: Tensor, choice: Choice) -> Tensor:
        """z (B, Z): one of the context's latents (B, C, Z), or the new z (B, Z), drawn towards one
        of them, which then serves as its motif. `chances` (B, 1 + C) as `LatentRNN.write` gives."""
        if latents.shape[1] == 0:
            return new
        which = choice.measure(chances)  # 0: new; 1 + c: repeat c
        motif = choice.token(chances[:, 1:])  # c
        model = torch.where(which > 0, which - 1, motif)
        pull = torch.where(which > 0, 1.0, choice.pull).unsqueeze(1)
        return torch.lerp(new, latents[torch.arange(len(new)), model], pull)


# --- choosing -------------------------------------------------------------------------------------


NOVELTY = 0.75  # of the answers, 0 … 1


class Choice(Protocol):
    """How a measure, and then each of its tokens, is chosen.

    pull    0 … 1, how far the z of a new measure is drawn to that of its motif
    """

    pull: float

    def measure(self, chances: Tensor) -> Tensor:
        """0 for the new measure, 1 + c to repeat context measure c: (B,) from log (B, 1 + C)."""

    def token(self, logits: Tensor) -> Tensor:
        """Classes (B,) from logits (B, V)."""


class Likeliest:
    """The likeliest answer, always the same. "A new measure" stands for many different ones, and
    its chance is divided among them (MANY nats, chosen on the validation tunes)."""

    MANY = 2.5

    def __init__(self, novelty: float = NOVELTY):
        self.newer, self.pull = newer_nats(novelty) - self.MANY, motif_pull(novelty)

    def measure(self, chances: Tensor) -> Tensor:
        return tilted(chances, self.newer).argmax(1)

    def token(self, logits: Tensor) -> Tensor:
        return logits.argmax(1)


class Sampler:
    """Temperature, then the smallest set of classes whose probability reaches top_p, then one of
    them by a number drawn beforehand: row i of the batch depends on generator i alone."""

    def __init__(
        self,
        temperature: float,
        top_p: float,
        generators: Sequence[torch.Generator],
        measures: int,
        novelty: float = NOVELTY,
    ):
        self.temperature, self.top_p = temperature, top_p
        self.newer, self.pull = newer_nats(novelty), motif_pull(novelty)
        count = measures * (2 + TICKS_PER_MEASURE)
        draws = [torch.rand(count, 1, generator=generator) for generator in generators]
        self.draws = iter(torch.stack(draws, 1))  # count times (B, 1)

    def measure(self, chances: Tensor) -> Tensor:
        return self.token(tilted(chances, self.newer))

    def token(self, logits: Tensor) -> Tensor:
        chances, order = (logits / self.temperature).softmax(1).sort(1, descending=True)
        up_to = chances.cumsum(1)  # (B, V)
        kept = (up_to - chances < self.top_p).sum(1, keepdim=True)  # how many classes stay
        point = next(self.draws) * up_to.gather(1, kept - 1)
        rank = torch.searchsorted(up_to, point, right=True).minimum(kept - 1)
        return order.gather(1, rank)[:, 0]


def newer_nats(novelty: float) -> float:
    """What is added to the log chance of a new measure: -4 … 4, 0 as in the training tunes."""
    return 8 * (novelty - 0.5)


def motif_pull(novelty: float) -> float:
    """At 1 a new measure owes nothing to one motif; at 0.6 (0.3) the answers repeat notes, leap
    and vary measures about as often as the validation tunes."""
    return 0.75 * (1 - novelty)


def tilted(chances: Tensor, newer: float) -> Tensor:
    return torch.cat([chances[:, :1] + newer, chances[:, 1:]], 1)


# --- the hub's side -------------------------------------------------------------------------------

CONTEXT = 10  # measures read on each side of a gap
LONGEST_GAP = 8  # a longer one is written in blocks, from left to right
BLOCK = 4
LEAST_TEMPERATURE = 0.05  # below it the likeliest token is taken
MIDDLE = 72  # the pitch around which the training tunes lie


class Melody:
    """One part of a score as token measures, with gaps. Index i is score.measures[i]; measures
    are added at the end where the region goes on past it."""

    def __init__(self, score: hub.Score, region: hub.Region):
        (part_id,) = region.parts()
        self.part = score.part_index(part_id)
        self.all_notes = score.notes_of(part_id)
        self.quarter = score.ticks_per_quarter
        self.measures = _measures_until(score, region.spans(part_id)[-1][1])
        self.tokens: dict[int, np.ndarray] = {}  # index -> (24,), read or written
        self.missing = [
            i
            for start, end in region.spans(part_id)
            for i, measure in enumerate(self.measures)
            if start <= measure.start < end
        ]

    def blocks(self) -> Iterator[tuple[int, int, int, bool]]:
        """(first measure, length of the gap, measures to write now, is the future near?) in the
        order of writing."""
        left = list(self.missing)
        while left:
            gap = 1
            while gap < len(left) and left[gap] == left[0] + gap:
                gap += 1
            near = gap <= LONGEST_GAP
            count = gap if near else BLOCK
            yield left[0], min(gap, LONGEST_GAP), count, near
            left = left[count:]

    def past(self, first: int) -> list[int]:
        """Indices of the measures read before measure `first`, ascending."""
        return self._known(range(first - 1, max(first - 1 - CONTEXT, -1), -1))[::-1]

    def future(self, first: int) -> list[int]:
        return self._known(range(first, min(first + CONTEXT, len(self.measures))))

    def _known(self, indices: range) -> list[int]:
        """From the gap outwards: up to the next gap or measure of another length; silent measures
        at the far end are not context."""
        found = []
        for i in indices:
            unwritten = i in self.missing and i not in self.tokens
            if unwritten or self.measures[i].length != QUARTERS_PER_MEASURE * self.quarter:
                break
            found.append(i)
        while found and not (self.read(found[-1]) > REST).any():
            found.pop()
        return found

    def read(self, index: int) -> np.ndarray:
        """Tokens (24,) of a measure."""
        if index not in self.tokens:
            measure = self.measures[index]
            notes = self.all_notes
            notes = notes[(notes.onset < measure.end) & (notes.end > measure.start)]
            onsets = (notes.onset - measure.start) / self.quarter
            rows = zip(onsets, notes.duration / self.quarter, notes.pitch, strict=True)
            self.tokens[index] = notes_to_tokens(list(rows), 1)[0]
        return self.tokens[index]

    def octaves(self) -> int:
        """Semitones, a multiple of 12, that bring the part to where the training tunes lie."""
        pitches = self.all_notes.pitch
        return 12 * round((MIDDLE - float(np.median(pitches))) / 12) if len(pitches) else 0

    def new_notes(self) -> hub.Notes:
        """The notes of the written measures, in the score's ticks."""
        rows = [note for start, tokens in self._runs() for note in self._notes(start, tokens)]
        velocity, voice = self._like_neighbours()
        return hub.Notes.of((*row, velocity, self.part, voice) for row in rows)

    def _runs(self) -> Iterator[tuple[int, np.ndarray]]:
        """(start tick, tokens (M, 24)) of each unbroken run of written measures."""
        breaks = np.flatnonzero(np.diff(self.missing) > 1) + 1
        for run in np.split(np.array(self.missing, dtype=int), breaks):
            yield self.measures[run[0]].start, np.stack([self.tokens[i] for i in run])

    def _notes(self, start: int, tokens: np.ndarray) -> Iterator[tuple[int, int, int]]:
        """(onset, duration, pitch) in ticks; a note that sounds into the gap is left to end."""
        before = self.all_notes[self.all_notes.onset < start]
        free_from = int(before.end.max(initial=start))
        for onset, duration, pitch in tokens_to_notes(tokens):
            begin = max(start + round(onset * self.quarter), free_from)
            end = start + round((onset + duration) * self.quarter)
            if end > begin:
                yield begin, end - begin, pitch

    def _like_neighbours(self) -> tuple[int, int]:
        """Median velocity, and commonest voice, of the notes in the measures that were read."""
        read = [self.measures[i] for i in self.tokens if i not in self.missing]
        notes = self.all_notes
        near = np.zeros(len(notes), dtype=bool)
        for measure in read:
            near |= (notes.onset >= measure.start) & (notes.onset < measure.end)
        if not near.any():
            return DEFAULT_VELOCITY, 1
        voices, counts = np.unique(notes.voice[near], return_counts=True)
        return int(np.median(notes.velocity[near])), int(voices[counts.argmax()])


def _measures_until(score: hub.Score, tick: int) -> list[hub.Measure]:
    measures = list(score.measures)
    while measures and measures[-1].end < tick:
        last = measures[-1]
        measures.append(replace(last, start=last.end))
    return measures


class InpaintNet(hub.Model):
    """Rewrites runs of whole 4/4 measures in one monophonic part."""

    def setup(
        self,
        hidden: int = 256,
        latent: int = 128,
        embedding: int = 32,
        layers: int = 1,
        heads: int = 4,
    ) -> None:
        self.network = Network(hidden, latent, embedding, layers, heads)

    def inpaint(self, score: hub.Score, region: hub.Region, params: hub.Params) -> hub.Notes:
        return self._takes(score, region, [params])[0]

    def inpaint_batch(self, requests: Sequence[hub.Request]) -> list[hub.Notes]:
        """Requests that differ only in their seeds are filled in one pass."""
        answers: dict[int, hub.Notes] = {}
        for alike in _same_but_for_seed(requests):
            first = requests[alike[0]]
            takes = self._takes(first.score, first.region, [requests[i].params for i in alike])
            answers.update(zip(alike, takes, strict=True))
        return [answers[i] for i in range(len(requests))]

    @torch.inference_mode()
    def _takes(
        self, score: hub.Score, region: hub.Region, params: Sequence[hub.Params]
    ) -> list[hub.Notes]:
        """One answer for each of the params; they differ only in their seeds."""
        melodies = [Melody(score, region) for _ in params]
        choice = _choice(params, len(melodies[0].missing))
        shift = melodies[0].octaves()
        for first, gap, count, near in melodies[0].blocks():
            past = melodies[0].past(first)
            future = melodies[0].future(first + gap) if near else []
            known = self._read(melodies, past + future, shift)  # (B, P + F, Z)
            before, after = known[:, : len(past)], known[:, len(past) :]
            classes = self.network.fill(before, after, gap, count, choice)
            tokens = classes_to_tokens(classes).numpy()
            tokens = np.where(tokens > REST, tokens - shift, tokens)
            for melody, written in zip(melodies, tokens, strict=True):
                melody.tokens.update(zip(range(first, first + count), written, strict=True))
        return [melody.new_notes() for melody in melodies]

    def _read(self, melodies: Sequence[Melody], indices: list[int], shift: int) -> Tensor:
        """z (B, M, Z) of the measures; those that several melodies share are read once."""
        if not indices:
            return torch.zeros(len(melodies), 0, self.network.vae.to_mean.out_features)
        tokens = np.stack([[melody.read(i) for i in indices] for melody in melodies])
        unique, rows = np.unique(tokens.reshape(-1, TICKS_PER_MEASURE), axis=0, return_inverse=True)
        shifted = np.where(unique > REST, unique + shift, unique).astype(np.int64)
        z = self.network.read(tokens_to_classes(torch.from_numpy(shifted)))
        return z[torch.from_numpy(rows.reshape(-1))].unflatten(0, (len(melodies), -1))


def _choice(params: Sequence[hub.Params], measures: int) -> Choice:
    temperature, top_p, novelty = (params[0][n] for n in ("temperature", "top_p", "novelty"))
    if temperature < LEAST_TEMPERATURE:
        return Likeliest(novelty)
    generators = [each.torch_generator() for each in params]
    return Sampler(temperature, top_p, generators, measures, novelty)


def _same_but_for_seed(requests: Sequence[hub.Request]) -> list[list[int]]:
    """Indices of the requests, those with one score, region and controls together."""
    groups: dict[tuple, list[int]] = {}
    for i, (score, region, params) in enumerate(requests):
        question = (id(score), region, tuple(sorted(params.items())))
        groups.setdefault(question, []).append(i)
    return list(groups.values())
