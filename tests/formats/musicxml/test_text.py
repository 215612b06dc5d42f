"""Decoding, spans and limits of XML."""

from __future__ import annotations

import codecs
import time

import pytest

from hub.errors import BadFileError, LimitError
from hub.formats.musicxml import text as xmltext

TEXT = "<a><b x='1'>Lé</b><c/><d>/></d></a>"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\n  \t" + TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF8 + b"\n" + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + ("\n " + TEXT).encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        f'<?xml version="1.0" encoding="ISO-8859-1"?>{TEXT}'.encode("latin-1"),
        f"<?xml version='1.0' encoding='windows-1252'?>{TEXT}".encode("cp1252"),
    ],
)
def test_every_encoding_is_read_and_written_back(data: bytes) -> None:
    text = xmltext.decode(data)
    assert text.encode(text.body) == data
    root = xmltext.parse(text.body, lambda *_: None)
    assert root.value("b") == "Lé"


def test_a_false_encoding_is_refused() -> None:
    for head in (b'<?xml version="1.0" encoding="klingon"?>', codecs.BOM_UTF16_LE + b"<\0a\0>"):
        with pytest.raises(BadFileError, match="encoding"):
            xmltext.decode(head + b"<a/>")


def test_spans_hold_the_elements() -> None:
    body = TEXT.encode()
    root = xmltext.parse(body, lambda *_: None)
    texts = {e.tag: body[e.start : e.end].decode() for e in root.walk()}
    assert texts == {
        "a": TEXT,
        "b": "<b x='1'>Lé</b>",
        "c": "<c/>",
        "d": "<d>/></d>",
    }


def test_measures_go_to_the_sink_and_are_let_go() -> None:
    body = b"<s><part id='1'><measure n='1'/><measure n='2'></measure></part></s>"
    seen = []
    root = xmltext.parse(
        body, lambda r, p, m: seen.append((r.tag, p.attrs["id"], body[m.start : m.end]))
    )
    assert seen == [("s", "1", b"<measure n='1'/>"), ("s", "1", b"<measure n='2'></measure>")]
    assert root.children[0].children == []


def test_one_element_is_parsed_wherever_it_ends() -> None:
    body = b"<a><b>" + b"<c>1</c>" * 20_000 + b"</b><d/> junk & more"
    element = xmltext.parse_at(body, 3)
    assert (element.tag, element.end) == ("b", body.index(b"<d/>"))
    assert len(element.children) == 20_000
    with pytest.raises(BadFileError):
        xmltext.parse_at(body[:100], 3)


def test_entities_are_refused_and_a_document_type_is_not() -> None:
    plain = b'<!DOCTYPE a PUBLIC "-//x//EN" "http://nowhere.invalid/a.dtd"><a/>'
    assert xmltext.parse(plain, lambda *_: None).tag == "a"
    bombs = [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://nowhere.invalid/"> %x;]><a/>',
    ]
    for bomb in bombs:
        with pytest.raises(BadFileError, match="entit"):
            xmltext.parse(bomb, lambda *_: None)


def test_depth_is_bounded() -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    with pytest.raises(LimitError, match="nested"):
        xmltext.parse(deep, lambda *_: None)


def test_what_is_not_well_formed_says_where() -> None:
    with pytest.raises(BadFileError, match="line 2"):
        xmltext.parse(b"<a>\n<b></a>", lambda *_: None)


def test_long_tokens_and_broken_text_take_linear_time() -> None:
    comment = b"<m><!--" + b"a" * (24 << 20) + b"--><n/></m>"
    broken = b"<m>" + (b"<x/>" + b"a" * 400) * 40_000 + b"</m>"
    for body, text in ((comment, ""), (broken, "a" * 16_000_000)):
        begun = time.process_time()
        for element in (xmltext.parse_at(body + b"<k/>", 0), xmltext.parse_at(body, 0, len(body))):
            assert (element.end, element.text) == (len(body), text)
        assert time.process_time() - begun < 4, "quadratic: far above 10 s"
