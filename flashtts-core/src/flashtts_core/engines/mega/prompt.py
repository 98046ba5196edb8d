"""What the phone writer (g2p) is asked and what it answers: text in, merged phone tokens out. Pure.

A prompt is ``<BOT>text<BOS>`` and the token of silence, with which every answer begins. Markers in a text are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tokenizers import Tokenizer

from flashtts_core.engines.mega.phones import FIRST_PHONE, MERGED, PHONES, SILENCE, STOP, Phones, split
from flashtts_core.engines.tokenizer import read_tokenizer
from flashtts_core.errors import BadCheckpoint
from flashtts_core.types import IdRanges

_BEGIN_TEXT, _BEGIN_SPEECH = "<BOT>", "<BOS>"
_NUMBERED = "<Reserved_TTS_{}>"
_FIRST_MERGED = MERGED[0] + 1  # the token 200 itself stands for no phone


class Vocabulary:
    """The tokenizer of the phone writer; phone tokens are numbered from ``first``."""

    def __init__(self, text: Tokenizer, tokens: Mapping[str, int]) -> None:
        self._text = text
        self._begin_text, self._begin_speech = tokens[_BEGIN_TEXT], tokens[_BEGIN_SPEECH]
        first = self.first = tokens[_NUMBERED.format(0)]
        self.stop = frozenset({first + STOP})
        self.allowed = IdRanges(
            ((first + FIRST_PHONE, first + PHONES), (first + _FIRST_MERGED, first + MERGED[1])),
        )
        """Ids that stand for a phone."""

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read ``tokenizer.json``; raises ``BadCheckpoint`` that names the file or the tokens it lacks."""
        text, tokens = read_tokenizer(path)
        first, last = _NUMBERED.format(0), _NUMBERED.format(STOP)
        if lacking := [name for name in (_BEGIN_TEXT, _BEGIN_SPEECH, first, last) if name not in tokens]:
            raise BadCheckpoint(f"{path} is not the tokenizer of a MegaTTS 3 model: it lacks {', '.join(lacking)}.")
        if tokens[last] != tokens[first] + STOP:
            raise BadCheckpoint(f"{path} does not number the tokens from {first} to {last} one by one.")
        return cls(text, tokens)

    @property
    def highest(self) -> int:
        """The largest id that a prompt or an answer can hold."""
        return max(self._begin_text, self._begin_speech, self.first + STOP)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; markers in it are text."""
        ids: list[int] = self._text.encode(text, add_special_tokens=False).ids
        return ids

    def prompt(self, text: str) -> tuple[int, ...]:
        """Return the ids that ask for the phones of a text."""
        return (self._begin_text, *self.encode(text), self._begin_speech, self.first + SILENCE)

    def read(self, ids: Iterable[int]) -> Phones:
        """Return the phones of an answer, with the silence they begin with; ids that are no phone are left out."""
        return split([SILENCE, *(token - self.first for token in ids if token in self.allowed)])
