"""What a receipt counts and says."""

import pytest

import hub
from hub.card import parse_card
from hub.receipt import unchanged_rows

CARD = parse_card("---\nscorehub:\n  version: 1\n  entry: model.py:X\n---\n", "x")
NOTE = (
    "<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>2</duration>"
    "<voice>1</voice><type>half</type><lyric><text>{text}</text></lyric></note>"
)
SONG = (
    '<?xml version="1.0"?><score-partwise><part-list><score-part id="P1"><part-name>Voice'
    '</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes>'
    "<divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    + NOTE.format(step="C", text="la")
    + NOTE.format(step="D", text="li")
    + "</measure></part></score-partwise>"
)


def sung(answer):
    """The take of a model that answers so, in quarters from the start of measure 1."""

    class Answers(hub.Model):
        def inpaint(self, score, region, params):
            quarter = score.ticks_per_quarter
            return [hub.Note(on * quarter, long * quarter, pitch) for on, long, pitch in answer]

    score = hub.read_score(SONG.encode(), "song.musicxml")
    return hub.inpaint(Answers(CARD), score, hub.Region.measures(score, "1"), seed=1)[0]


@pytest.mark.parametrize(
    ("answer", "lyrics", "said"),
    [
        ([(0, 2, 60), (2, 2, 62)], 0, "The same notes as before; nothing changed."),
        ([(0, 2, 65), (2, 2, 62)], 0, "1 note removed, 1 added, 1 unchanged; outside"),
        ([(0, 4, 65)], 2, "2 notes removed, 1 added, 2 syllables of lyrics gone; outside"),
        ([(0, 2, 65), (2, 1, 62)], 1, "1 syllable of lyrics gone"),
    ],
)
def test_lyrics_are_counted_as_the_file_has_lost_them(answer, lyrics, said):
    take = sung(answer)
    assert take.receipt.lyrics == lyrics
    assert take.data.count(b"<lyric>") == 2 - lyrics
    assert said in take.receipt.sentence()


def test_unchanged_rows_are_matched_one_to_one():
    before = hub.Notes.of([(0, 4, 60), (0, 4, 60), (4, 4, 62)])
    after = hub.Notes.of([(0, 4, 60), (4, 4, 62), (4, 4, 64)])
    masks = unchanged_rows(before, after)
    assert [mask.tolist() for mask in masks] == [[True, False, True], [True, True, False]]
