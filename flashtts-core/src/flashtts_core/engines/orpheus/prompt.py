"""Prompts of Orpheus-TTS and what comes back, as token ids: pure, no model, no waiting.

All ids are looked up by name in the checkpoint's tokenizer. Voice and text are encoded by a tokenizer that does not
know the markers, so text that looks like a marker stays text; the markers around it are put in by id. Between markers
and text nothing is joined, so this gives the ids that encoding the whole prompt as one string would give.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from tokenizers import Tokenizer

from flashtts_core.engines.orpheus.codec.config import CODEBOOK_SIZE, SLOTS
from flashtts_core.engines.tokenizer import read_tokenizer
from flashtts_core.errors import BadCheckpoint
from flashtts_core.types import IdRanges

_FIRST_AUDIO = 10
"""``<custom_token_10>`` is code 0 of slot 0; the nine before it frame the prompt and the answer."""
_START_OF_TEXT, _END_OF_TURN = "<|begin_of_text|>", "<|eot_id|>"
_BEFORE = ("<custom_token_3>", _START_OF_TEXT)
_AFTER = (_END_OF_TURN, "<custom_token_4>", "<custom_token_5>", "<custom_token_1>")
_STOP = ("<custom_token_2>", "<custom_token_6>")


class Prompt(Struct, frozen=True):
    """Ids to continue, the ids that may follow slot by slot, and those that end the answer."""

    ids: tuple[int, ...]
    allowed: tuple[IdRanges, ...]
    stop: frozenset[int]


class Vocabulary:
    """The tokenizer of a checkpoint: text to ids, and the ids of markers and codes.

    ``codes`` maps an id to ``slot * 4096 + code``.
    """

    def __init__(self, text: Tokenizer, tokens: dict[str, int], end: str) -> None:
        self._text = text
        self._before = tuple(tokens[name] for name in _BEFORE)
        self._after = tuple(tokens[name] for name in _AFTER)
        self._stop = frozenset(tokens[name] for name in (*_STOP, end))
        ids = [tokens[_custom(_FIRST_AUDIO + number)] for number in range(SLOTS * CODEBOOK_SIZE)]
        self.codes = {token: number for number, token in enumerate(ids)}
        slots = (ids[slot * CODEBOOK_SIZE : (slot + 1) * CODEBOOK_SIZE] for slot in range(SLOTS))
        self._allowed = tuple(IdRanges.of(slot) for slot in slots)
        self.highest = max(tokens.values())
        """The largest id that the tokenizer names."""

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Read the tokenizer of a checkpoint; raises ``BadCheckpoint`` that names the file or the tokens it lacks."""
        path = folder / "tokenizer.json"
        text, tokens = read_tokenizer(path)
        end = _end_of_answer(folder / "tokenizer_config.json")
        names = [
            *_BEFORE,
            *_AFTER,
            *_STOP,
            end,
            *map(_custom, range(_FIRST_AUDIO, _FIRST_AUDIO + SLOTS * CODEBOOK_SIZE)),
        ]
        if lacking := [name for name in names if name not in tokens]:
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            raise BadCheckpoint(
                f"{path} is not the tokenizer of an Orpheus-TTS model: it lacks {', '.join(lacking[:3])}{more}."
            )
        return cls(text, tokens, end)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; markers in it are text."""
        ids: list[int] = self._text.encode(text, add_special_tokens=False).ids
        return ids

    def prompt(self, voice: str, text: str) -> Prompt:
        """Return the prompt that makes ``voice`` say ``text``."""
        ids = (*self._before, *self.encode(f"{voice}: {text}"), *self._after)
        return Prompt(ids, self._allowed, self._stop)


class Answer:
    """Reads generated ids as they come: ids to frames of seven codes.

    Slot and code follow from the id itself. An id that is no code is skipped. A code out of turn spoils the frame it
    stands in: what there is of that frame is dropped, and the next code of slot 0 (it may be this one) begins another.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._codes = vocabulary.codes
        self._frame: list[int] = []
        self.frames: list[tuple[int, ...]] = []
        self.idle = 0
        """Ids since the last whole frame."""

    def add(self, ids: Iterable[int]) -> None:
        """Take new ids."""
        for token in ids:
            self.idle += 1
            if (number := self._codes.get(token)) is None:
                continue
            slot, code = divmod(number, CODEBOOK_SIZE)
            if slot != len(self._frame):
                self._frame.clear()
            if slot == len(self._frame):
                self._frame.append(code)
            if len(self._frame) == SLOTS:
                self.frames.append(tuple(self._frame))
                self._frame.clear()
                self.idle = 0


def _custom(number: int) -> str:
    return f"<custom_token_{number}>"


def _end_of_answer(path: Path) -> str:
    """Return the name of the tokenizer's own end token; raises ``BadCheckpoint`` if the file is damaged."""
    if not path.is_file():
        return _END_OF_TURN
    try:
        named = msgspec.json.decode(path.read_bytes()).get("eos_token")
    except (OSError, AttributeError, msgspec.DecodeError) as error:
        raise BadCheckpoint(f"{path} is damaged ({error}). Fetch it again.") from error
    content = named.get("content") if isinstance(named, dict) else named
    return content if isinstance(content, str) else _END_OF_TURN
