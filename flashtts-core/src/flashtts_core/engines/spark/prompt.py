"""Prompts of Spark-TTS and what comes back, as token ids: pure, no model, no waiting.

All ids are looked up by name in the checkpoint's tokenizer. The user's text is encoded by a tokenizer that does not
know the markers, so text that looks like a marker stays text; elsewhere markers are put in by id. Between markers and
text nothing is joined, so this gives the ids that encoding the whole prompt as one string would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from tokenizers import Tokenizer

from flashtts_core.engines.tokenizer import read_tokenizer
from flashtts_core.errors import BadCheckpoint
from flashtts_core.types import LEVELS, IdRanges, Level

GENDERS = {"female": 0, "male": 1}
_MARKS = (
    *("task_tts", "task_controllable_tts", "start_content", "end_content", "start_style_label", "end_style_label"),
    *("start_acoustic_token", "end_acoustic_token", "start_global_token", "end_global_token"),
    *("start_semantic_token", "end_semantic_token", "im_end"),
)
_FAMILIES = (
    *("bicodec_global", "bicodec_semantic", "gender"),
    *("pitch_label", "speed_label", "pitch_value", "speed_value"),
)


class Family(Struct, frozen=True, eq=False):
    """Numbered tokens of one kind: ``ids[n]`` is that of number n."""

    ids: tuple[int, ...]
    numbers: Mapping[int, int]


class Labels(Struct, frozen=True):
    """Pitch and speed as the model knows them."""

    pitch: Level = "moderate"
    speed: Level = "moderate"


class Prompt(Struct, frozen=True):
    """Ids to continue, the ids that may follow, and those that end the answer."""

    ids: tuple[int, ...]
    allowed: IdRanges
    stop: frozenset[int]


class Acoustics(Struct, frozen=True):
    """The voice that the model made up for a text: what it wrote before the first semantic token.

    ``ids`` reach from the start of the acoustic tokens to the end of the global ones; put behind another prompt of the
    same gender they make it speak with the same voice.
    """

    ids: tuple[int, ...]
    globals: tuple[int, ...]
    labels: Labels


class Vocabulary:
    """The tokenizer of a checkpoint: text to ids, and the ids of markers and numbered tokens."""

    def __init__(self, text: Tokenizer, tokens: Mapping[str, int]) -> None:
        self._text = text
        self._tokens = tokens
        self._names = {token: name for name, token in tokens.items()}
        self.marks = {name: tokens[f"<|{name}|>"] for name in _MARKS}
        self._families = {name: _family(name, tokens) for name in _FAMILIES}
        self.globals = self._families["bicodec_global"]
        self.semantics = self._families["bicodec_semantic"]
        self.stop = frozenset({self.marks["im_end"], self.marks["end_semantic_token"]})
        spoken = {*self.semantics.ids, self.marks["start_semantic_token"]}
        self._attributes = frozenset({*self._families["pitch_value"].ids, *self._families["speed_value"].ids})
        bounds = (self.marks[f"{end}_{kind}_token"] for end in ("start", "end") for kind in ("acoustic", "global"))
        self._speech_may_follow = IdRanges.of(spoken)
        self._voice_may_follow = IdRanges.of({*spoken, *self.globals.ids, *self._attributes, *bounds})

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read ``tokenizer.json``; raises ``BadCheckpoint`` that names the file or the tokens it lacks."""
        text, tokens = read_tokenizer(path)
        needed = [f"<|{name}|>" for name in _MARKS] + [f"<|{name}_0|>" for name in _FAMILIES]
        if lacking := [name for name in needed if name not in tokens]:
            raise BadCheckpoint(f"{path} is not the tokenizer of a Spark-TTS model: it lacks {', '.join(lacking)}.")
        return cls(text, tokens)

    @property
    def highest(self) -> int:
        """The largest id that a prompt or an answer can hold."""
        return max(self._names)

    def spell(self, ids: Iterable[int]) -> list[str]:
        """Return the names of markers and numbered tokens."""
        return [self._names[token] for token in ids]

    def read(self, names: Iterable[str]) -> list[int]:
        """Return the ids of markers and numbered tokens; raises ``KeyError`` for a name that is not one."""
        return [self._tokens[name] for name in names]

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; markers in it are text."""
        ids: list[int] = self._text.encode(text, add_special_tokens=False).ids
        return ids

    def control(self, text: str, gender: str, labels: Labels, acoustics: Sequence[int] = ()) -> Prompt:
        """Return the prompt of a built-in voice; ``acoustics`` (of ``Acoustics.ids``) settle who exactly speaks."""
        ids = [
            self.marks["task_controllable_tts"],
            *self._content(text),
            *self._style(labels, self._families["gender"].ids[GENDERS[gender]]),
            *acoustics,
        ]
        may_follow = self._speech_may_follow if acoustics else self._voice_may_follow
        return Prompt(tuple(ids), may_follow, self.stop)

    def attributes(self, text: str, gender: str, labels: Labels) -> Prompt:
        """Return the prompt that makes the model write pitch and speed of a built-in voice, and no more."""
        prompt = self.control(text, gender, labels)
        return msgspec.structs.replace(prompt, stop=self.stop | {self.marks["end_acoustic_token"]})

    def clone(self, text: str, speaker: Sequence[int], labels: Labels, spoken: SpokenReference | None) -> Prompt:
        """Return the prompt of a cloned voice with these global tokens; with ``spoken`` the model continues it."""
        ids = [self.marks["task_tts"], *self._content((spoken.transcript if spoken else "") + text)]
        if labels != Labels():
            ids += self._style(labels)
        ids += self.speaker(speaker)
        if spoken:
            ids.append(self.marks["start_semantic_token"])
            ids += (self.semantics.ids[number] for number in spoken.semantics)
        return Prompt(tuple(ids), self._speech_may_follow, self.stop)

    def speaker(self, numbers: Sequence[int]) -> list[int]:
        """Return the ids that name a speaker by global tokens."""
        ids = self.globals.ids
        return [self.marks["start_global_token"], *(ids[n] for n in numbers), self.marks["end_global_token"]]

    def acoustics(self, attributes: Sequence[int], numbers: Sequence[int]) -> tuple[int, ...]:
        """Return the acoustic tokens of the speaker with these global tokens.

        ``attributes`` is what the model wrote for ``Vocabulary.attributes``; without pitch and speed in it, the
        prompt's labels have to do.
        """
        opening = self.marks["start_acoustic_token"]
        values = [token for token in attributes if token in self._attributes]
        named = [opening, *values, self.marks["end_acoustic_token"]] if values else []
        return (*named, *self.speaker(numbers))

    def _content(self, text: str) -> list[int]:
        return [self.marks["start_content"], *self.encode(text), self.marks["end_content"]]

    def _style(self, labels: Labels, *gender: int) -> list[int]:
        return [
            self.marks["start_style_label"],
            *gender,
            self._families["pitch_label"].ids[LEVELS.index(labels.pitch)],
            self._families["speed_label"].ids[LEVELS.index(labels.speed)],
            self.marks["end_style_label"],
        ]


class SpokenReference(Struct, frozen=True):
    """What a reference recording says, as text and as semantic tokens."""

    transcript: str
    semantics: tuple[int, ...]


class Answer:
    """Reads generated ids as they come: the voice first, if the model makes it up, then the speech."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.head: list[int] = []
        """Everything but the speech, up to the end of the voice."""
        self.globals: list[int] = []
        self.semantics: list[int] = []
        self.acoustic_ids: tuple[int, ...] | None = None
        """From the start of the acoustic tokens (or, without any, the global ones) to the end of the global ones."""

    def add(self, ids: Iterable[int]) -> None:
        """Take new ids."""
        marks = self._vocabulary.marks
        for token in ids:
            if (number := self._vocabulary.semantics.numbers.get(token)) is not None:
                self.semantics.append(number)
            elif self.acoustic_ids is None:
                self.head.append(token)
                if (number := self._vocabulary.globals.numbers.get(token)) is not None:
                    self.globals.append(number)
                if token == marks["end_global_token"]:
                    begins = (marks["start_acoustic_token"], marks["start_global_token"])
                    start = next((self.head.index(mark) for mark in begins if mark in self.head), 0)
                    self.acoustic_ids = tuple(self.head[start:])


def _family(name: str, added: Mapping[str, int]) -> Family:
    ids: list[int] = []
    while (token := added.get(f"<|{name}_{len(ids)}|>")) is not None:
        ids.append(token)
    return Family(tuple(ids), {token: number for number, token in enumerate(ids)})
