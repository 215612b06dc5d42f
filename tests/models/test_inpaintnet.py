"""InpaintNet: its grid, its networks and its answers, on tiny real data."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import hub

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "models" / "inpaintnet"
QUARTER = 480


def load_module(name: str):
    spec = importlib.util.spec_from_file_location(f"inpaintnet_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


model = load_module("model")


@pytest.fixture(scope="module")
def data():
    """data.py, which imports its neighbour by the plain name `model`."""
    hidden = sys.modules.get("model")
    sys.modules["model"] = model
    try:
        return load_module("data")
    finally:
        sys.modules.pop("model")
        if hidden is not None:
            sys.modules["model"] = hidden


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return model.Network(hidden=16, latent=8, embedding=4, layers=1, heads=2).eval()


@pytest.fixture(scope="module")
def inpaintnet():
    """The class on a small network with random weights."""
    torch.manual_seed(0)
    card = hub.read_card(FOLDER)
    tiny = {"hidden": 16, "latent": 8, "embedding": 4, "layers": 1, "heads": 2}
    made = model.InpaintNet(hub.ModelCard(**{**card.__dict__, "init": tiny}))
    made.network.eval()
    return made


def reel(measures: int = 8, extra=()) -> hub.Score:
    """Eighth notes around D, in 4/4."""
    pitches = [62, 66, 69, 66, 74, 69, 66, 64]
    rows = [
        hub.Note(240 * i, 240, pitches[i % 8] + (i // 8) % 3, 70 + i % 3)
        for i in range(8 * measures)
    ]
    bars = tuple(
        hub.Measure(number=str(i + 1), start=i * 4 * QUARTER, length=4 * QUARTER)
        for i in range(measures)
    )
    return hub.Score(
        ticks_per_quarter=QUARTER,
        parts=(hub.Part(id="P1", name="Fiddle"),),
        measures=bars,
        notes=hub.Notes.of([*rows, *extra]),
    )


# --- the grid -------------------------------------------------------------------------------------


def test_ticks_of_a_beat_are_sixteenths_and_triplets():
    places = [Fraction(n, 12) for n in (0, 3, 4, 6, 8, 9)]
    assert [int(model.quarters_to_tick(float(p))) for p in places] == [0, 1, 2, 3, 4, 5]
    assert model.tick_to_quarters(np.arange(6)) == pytest.approx([float(p) for p in places])


def test_a_tick_is_the_nearest_one():
    # Halfway between 3/4 and the next beat lies 7/8.
    assert int(model.quarters_to_tick(0.87)) == 5
    assert int(model.quarters_to_tick(0.88)) == 6
    assert int(model.quarters_to_tick(3.99)) == 24


def test_notes_survive_the_way_to_tokens_and_back():
    third = 1 / 3
    notes = [
        (0.0, 0.75, 62),
        (0.75, 0.25, 64),
        (1.0, third, 66),
        (1 + third, third, 67),
        (1 + 2 * third, third, 69),
        (3.0, 2.0, 71),  # over the bar line; a rest stands before it
        (5.0, 3.0, 62),
    ]
    tokens = model.notes_to_tokens(notes, 2)
    assert tokens.shape == (2, 24)
    assert tokens[0, 12] == model.REST
    assert tokens[1, 0] == model.HOLD
    back = model.tokens_to_notes(tokens)
    assert np.array(back) == pytest.approx(np.array(notes))


def test_a_note_from_before_is_held_and_silence_is_a_rest():
    held = model.notes_to_tokens([(-1.0, 2.0, 60)], 1)[0]
    assert held[0] == model.HOLD
    assert held[6] == model.REST
    silent = model.notes_to_tokens([], 1)[0]
    assert silent.tolist() == [model.REST] + [model.HOLD] * 23


def test_overlapping_notes_become_one_line():
    tokens = model.notes_to_tokens([(0.0, 4.0, 60), (1.0, 1.0, 64), (1.0, 1.0, 67)], 1)
    assert model.tokens_to_notes(tokens) == [(0.0, 1.0, 60), (1.0, 1.0, 67)]


def test_pitches_outside_the_range_are_folded_by_octaves():
    low, high = model.LOWEST, model.HIGHEST
    tokens = torch.tensor([model.HOLD, model.REST, low - 1, low, high, high + 13, 60])
    back = model.classes_to_tokens(model.tokens_to_classes(tokens))
    assert back.tolist() == [0, 1, low + 11, low, high, high - 11, 60]


# --- the networks ---------------------------------------------------------------------------------


def test_shapes_of_the_measure_vae(network):
    classes = torch.randint(0, model.CLASSES, (3, 24))
    mean, log_variance = network.vae.encode(classes)
    assert mean.shape == log_variance.shape == (3, 8)
    assert network.vae.decode(mean, classes).shape == (3, 24, model.CLASSES)


@torch.inference_mode()
def test_tick_by_tick_agrees_with_the_whole_measure_at_once(network):
    z = torch.randn(5, 8)
    classes = network.vae.generate(z, model.Likeliest().token)
    logits = network.vae.decode(z, classes)
    assert torch.equal(logits.argmax(2), classes)


@pytest.mark.parametrize(("past", "future"), [(6, 6), (0, 3), (2, 0), (0, 0)])
@torch.inference_mode()
def test_a_gap_is_filled_with_any_context(network, past, future):
    before, after = torch.randn(2, past, 8), torch.randn(2, future, 8)
    classes = network.fill(before, after, 4, 3, model.Likeliest())
    assert classes.shape == (2, 3, 24)
    assert classes.max() < model.CLASSES


def test_low_top_p_leaves_the_likeliest_class():
    logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, 0.0, 1.9]])
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    choice = model.Sampler(1.0, 0.05, generators, measures=1)
    assert all(choice.token(logits).tolist() == [1, 0] for _ in range(20))


def test_sampling_follows_the_probabilities():
    logits = torch.log(torch.tensor([[0.1, 0.7, 0.2]]))
    choice = model.Sampler(1.0, 1.0, [torch.Generator().manual_seed(0)], measures=160)
    counts = np.bincount([int(choice.token(logits)) for _ in range(4000)], minlength=3)
    assert counts / 4000 == pytest.approx([0.1, 0.7, 0.2], abs=0.03)


@torch.inference_mode()
def test_step_by_step_agrees_with_the_whole_gap_at_once(network):
    z = torch.randn(2, 12, 8)
    state, context = network.rnn.read(z[:, :5], z[:, 9:])
    whole, chances, _ = network.rnn.write(state, context, z[:, 4:8], 0, 4)
    for i in range(4):
        one, chance, state = network.rnn.write(state, context, z[:, 4 + i : 5 + i], i, 4)
        assert torch.allclose(one[:, 0], whole[:, i], atol=1e-5)
        assert torch.allclose(chance[:, 0], chances[:, i], atol=1e-4)


@torch.inference_mode()
def test_equal_measures_share_one_chance(network):
    z = torch.randn(1, 6, 8)
    z[:, 4] = z[:, 1]
    state, context = network.rnn.read(z[:, :3], z[:, 3:])
    _, chances, _ = network.rnn.write(state, context, z[:, 2:3], 0, 1)
    assert chances.exp().sum() == pytest.approx(1, abs=1e-4)
    assert chances[0, 0, 1 + 4] == pytest.approx(np.log(1e-9))


@torch.inference_mode()
def test_hints_see_that_the_tune_repeats_itself(network):
    """In A B C D A B [gap] the measures 4 before are the likeliest copies of the gap's."""
    four = 4 * torch.randn(1, 4, 8)
    past = torch.cat([four, four[:, :2]], 1)
    _, context = network.rnn.read(past, torch.zeros(1, 0, 8))
    apart = context.places(2).unsqueeze(0) - torch.arange(2).unsqueeze(1)  # (2, 6)
    hints = network.rnn._hints(context, past[:, -1:].expand(-1, 2, -1), apart, 2)
    assert hints.shape == (1, 2, 6, 4)
    # Two pairs of known measures 4 apart, A A and B B; the average is drawn to 0 a little.
    assert hints[0, :, :, 0].max() == pytest.approx(2 / 2.5, abs=0.01)
    assert (apart[hints[0, :, :, 0] > 0.79] == -4).all()
    assert hints[0, 0, 2, 1] == pytest.approx(1)  # B, 4 before the last B: C may follow it
    assert hints[0, 0, 2, 3] == pytest.approx(1)  # B stands before C as it does before the gap


def test_a_measure_is_repeated_or_new_and_drawn_towards_its_motif(network):
    new, context = torch.zeros(2, 8), torch.ones(2, 3, 8) * torch.arange(1, 4).view(1, 3, 1)
    chances = torch.tensor([[-20.0, -9, 0, -9], [9.0, -9, -9, 0]])
    z = network._chosen(new, chances, context, model.Likeliest())
    assert z[:, 0].tolist() == pytest.approx([2, 3 * model.motif_pull(model.NOVELTY)])


# --- answers --------------------------------------------------------------------------------------


def ask(inpaintnet, score, text, **options):
    controls = {"temperature": 1.5, "top_p": 1.0, **options.pop("controls", {})}
    region = hub.Region.measures(score, text)
    return hub.inpaint(inpaintnet, score, region, controls, **options)


def test_a_seed_gives_the_same_notes_alone_and_among_others(inpaintnet):
    together = ask(inpaintnet, reel(), "3-5", n=3, seed=7)
    alone = [ask(inpaintnet, reel(), "3-5", seed=7 + i)[0] for i in range(3)]
    assert [t.notes for t in together] == [t.notes for t in alone]
    assert together[0].notes != together[1].notes


def test_temperature_zero_does_not_depend_on_the_seed(inpaintnet):
    takes = ask(inpaintnet, reel(), "3-5", n=2, seed=1, controls={"temperature": 0})
    assert takes[0].notes == takes[1].notes


def test_disjoint_gaps_at_both_ends_and_a_long_one(inpaintnet):
    score = reel(16)
    (take,) = ask(inpaintnet, score, "1,4-13,16", seed=3)
    touched = set((take.notes.onset // (4 * QUARTER)).tolist())
    assert touched <= {0, *range(3, 13), 15}
    assert len(touched) > 6
    assert not take.log


def test_novelty_chooses_between_repeating_and_writing():
    chances = torch.log(torch.tensor([[0.5, 0.5]])).repeat(1000, 1)
    generators = [torch.Generator().manual_seed(i) for i in range(1000)]
    new = [
        float((model.Sampler(1, 1, generators, 1, level).measure(chances) == 0).float().mean())
        for level in (0.0, 0.5, 1.0)
    ]
    assert new == pytest.approx([0.02, 0.5, 0.98], abs=0.05)


def test_velocity_follows_the_neighbours(inpaintnet):
    (take,) = ask(inpaintnet, reel(), "4", seed=0)
    assert set(take.notes.velocity.tolist()) == {71}


def test_a_note_that_sounds_into_the_gap_is_left_to_end(inpaintnet):
    score = reel()
    rows = [n for n in score.notes if n.onset != 2 * 4 * QUARTER - 240]
    long = hub.Note(2 * 4 * QUARTER - 240, 240 + 600, 62)
    score = hub.Score(**{**score.__dict__, "notes": hub.Notes.of([*rows, long])})
    melody = model.Melody(score, hub.Region.measures(score, "3").resolve(score))
    melody.tokens[2] = model.notes_to_tokens([(0.0, 1.0, 70), (1.0, 3.0, 72)], 1)[0]
    new = [(n.onset, n.duration, n.pitch) for n in melody.new_notes()]
    start = 2 * 4 * QUARTER
    assert new == [(start + 600, 3 * QUARTER - 120, 72)]


def test_triplets_are_exact_in_ticks():
    score = reel()
    melody = model.Melody(score, hub.Region.measures(score, "1").resolve(score))
    third = 1 / 3
    melody.tokens[0] = model.notes_to_tokens([(0.0, third, 70), (third, 2 * third, 71)], 1)[0]
    assert [(n.onset, n.duration) for n in melody.new_notes()] == [(0, 160), (160, 320)]


def test_the_context_ends_at_a_measure_of_another_length():
    score = reel(8)
    odd = list(score.measures)
    odd[1] = hub.Measure(number="2", start=odd[1].start, length=4 * QUARTER - 1)
    score = hub.Score(**{**score.__dict__, "measures": tuple(odd)})
    melody = model.Melody(score, hub.Region.measures(score, "5").resolve(score))
    assert melody.past(4) == [2, 3]
    assert melody.future(5) == [5, 6, 7]


# --- the data -------------------------------------------------------------------------------------

ABC = "X:1\nT:A Tune\nM:C|\nL:1/8\nK:G\nGE|:D2(3DEF G2GA|BGBd cBAG-|G2FE DEFG|A6:|\n"


def test_abc_becomes_whole_measures_with_repeats(data):
    pytest.importorskip("music21")
    title, segments = data.abc_segments(ABC)
    assert title == "A Tune"
    tokens = np.concatenate(segments)
    first = [(0.0, 1.0, 62), (1.0, 1 / 3, 62), (4 / 3, 1 / 3, 64), (5 / 3, 1 / 3, 66)]
    assert np.array(model.tokens_to_notes(tokens[0]))[:4] == pytest.approx(np.array(first))
    assert tokens[2, 0] == model.HOLD  # the tie over the bar line
    assert len(tokens) >= 6


def eighths(generator: np.random.Generator) -> np.ndarray:
    pitches = generator.integers(60, 80, 64)
    return model.notes_to_tokens([(i / 2, 0.5, int(p)) for i, p in enumerate(pitches)], 8)


def test_settings_of_one_tune_stay_on_one_side(data):
    generator = np.random.default_rng(0)
    tune, other = eighths(generator), eighths(generator)
    moved = np.where(tune > model.REST, tune + 5, tune)
    prints = [data.fingerprints([t]) for t in (tune, moved, other)]
    assert prints[0] == prints[1]
    groups = data.group_tunes(["One", "Another", "Third"], prints)
    assert groups[0] == groups[1] != groups[2]
    assert data.title_key("The Flowers of Edinburgh -- Reel") == data.title_key(
        "Flowers of Edinburgh, The"
    )


def test_each_example_of_the_card_is_there():
    card = hub.read_card(FOLDER)
    assert len(card.examples) >= 2
    assert all((FOLDER / example.file).is_file() for example in card.examples)


def test_shipped_weights_fit_the_card():
    if not (FOLDER / "model.safetensors").is_file():
        pytest.skip("no weights in this checkout")
    loaded = hub.load(FOLDER)
    (take,) = hub.inpaint(loaded, reel(), hub.Region.measures(reel(), "4-5"), seed=1)
    assert len(take.notes)
    assert take.notes == hub.inpaint(loaded, reel(), take.region, seed=1)[0].notes
