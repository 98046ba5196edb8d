"""JSON as clients in the wild write it: marks, halves of characters, whole numbers with a point."""

from __future__ import annotations

import codecs
import json

import httpx
import msgspec
import pytest

from flashtts_server.lenient import fields_of, read_json
from flashtts_server.messages import parse
from flashtts_server.testing import LiveServer

HALVED = '"Hi \\ud83d\\ude00 you \\ud83d. \\\\ud83d \\ude00"'


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    "body", ['{"text": "one"}', '{"text": "one \\ud83d"}', '{"text": "one", "top_k": 5e1, "seed": 0.0}']
)
def test_what_a_language_makes_of_a_text_or_a_number_is_read(
    tones: LiveServer, client: httpx.Client, media_type: str, body: str
) -> None:
    marked = codecs.BOM_UTF8 + body.encode()  # as Windows' editors save it, and curl -d @file sends it
    plain = client.post(f"{tones.url}/speak", json={"text": "one"})
    answer = client.post(f"{tones.url}/speak", content=marked, headers={"content-type": media_type})
    assert (answer.status_code, answer.content) == (200, plain.content)


def test_halves_of_characters_are_joined_or_replaced() -> None:
    for content in (HALVED, HALVED.encode()):
        assert fields_of({"a": read_json(content)}) == {"a": "Hi 😀 you \ufffd. \\ud83d \ufffd"}
    assert fields_of({"id": {"\ud83d": "\ud83d"}}) == {"id": {"\ufffd": "\ufffd"}}


def test_whole_numbers_are_whole_and_others_stay() -> None:
    assert repr(fields_of({"a": 50.0, "b": 1e300, "c": 0.5, "d": True, "e": None})) == repr(
        {"a": 50, "b": 1e300, "c": 0.5, "d": True}
    )


@pytest.mark.parametrize("more", ["NaN", "-Infinity", "1,", "'a'", "9" * 5000, "[" * 5000, "\x01"])
def test_what_is_no_json_is_refused_beside_a_halved_text_too(more: str) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        read_json(f'["\\ud83d", {more}]'.encode())


def test_a_half_that_ends_a_piece_of_text_waits_for_the_other() -> None:
    first, second = (parse(json.dumps({"type": "input.text", "text": text})) for text in ("Hi \ud83d", "\ude00"))
    assert getattr(first, "text", "") + getattr(second, "text", "") == "Hi \ud83d\ude00"
