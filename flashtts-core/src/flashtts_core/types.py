"""The vocabulary: the frozen values that cross the layers of flashtts, and nothing else does.

A knob is one annotated alias here (range and meaning in its ``msgspec.Meta``); the wire structs of the server, the
command-line flags and the documentation take range and meaning from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flashtts_core.continuity import Continuity

Level = Literal["very_low", "low", "moderate", "high", "very_high"]
LEVELS: tuple[Level, ...] = get_args(Level)

Temperature = Annotated[float, Meta(ge=0, le=2, description="Randomness of sampling; 0 is greedy.")]
TopK = Annotated[int, Meta(ge=0, le=1000, description="Sample among the k likeliest tokens; 0 is off.")]
TopP = Annotated[
    float,
    Meta(gt=0, le=1, description="Sample among the likeliest tokens that hold this share of probability."),
]
RepetitionPenalty = Annotated[
    float, Meta(gt=0, le=2, description="Divides the score of tokens that were already written; 1 is off.")
]
MaxTokens = Annotated[int, Meta(ge=1, description="Most tokens to generate for one segment of the text.")]
Seed = Annotated[
    int,
    Meta(
        ge=0,
        le=2**63 - 1,
        description="Random seed: the same request with the same seed gives the same audio.",
    ),
]
Pitch = Annotated[Level, Meta(description="Pitch of the voice; moderate is neutral.")]
SpeedLabel = Annotated[Level, Meta(description="Pace of the voice; moderate is neutral.")]
SpeedFactor = Annotated[float, Meta(ge=0.25, le=4, description="As a factor, 1 is the voice's own pace.")]
TimeStep = Annotated[int, Meta(ge=1, le=200, description="Diffusion steps; more are slower and cleaner.")]
TextWeight = Annotated[
    float, Meta(ge=0, le=20, description="Weight of the text in diffusion: how clearly it is pronounced.")
]
SpeakerWeight = Annotated[
    float, Meta(ge=0, le=20, description="Weight of the speaker in diffusion: how close the voice is to its recording.")
]
LengthThreshold = Annotated[int, Meta(ge=1, description="Texts of more tokens than this are split.")]
WindowSize = Annotated[int, Meta(ge=1, description="Most tokens in one segment of a split text.")]


class SplitLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """When a text is split, and into segments of how many tokens."""

    length_threshold: LengthThreshold = 50
    window_size: WindowSize = 50


class Sampling(Struct, frozen=True, forbid_unknown_fields=True):
    """How a language model chooses tokens; ``None`` means the engine's default."""

    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    repetition_penalty: RepetitionPenalty | None = None
    max_tokens: MaxTokens | None = None
    seed: Seed | None = None

    def over(self, defaults: Sampling) -> Sampling:
        """Return these values, with those of ``defaults`` where this one has none."""
        mine = {name: value for name in SAMPLING_FIELDS if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(defaults, **mine)


SAMPLING_FIELDS = Sampling.__struct_fields__


class Diffusion(Struct, frozen=True, forbid_unknown_fields=True):
    """How an engine that makes speech by diffusion (MegaTTS 3) goes about it; ``None`` means the engine's setting."""

    time_step: TimeStep | None = None
    p_w: TextWeight | None = None
    t_w: SpeakerWeight | None = None


DIFFUSION_FIELDS = Diffusion.__struct_fields__


class Style(Struct, frozen=True, forbid_unknown_fields=True):
    """How a line is spoken: pitch as a label, speed as a label or as a factor (1 is the voice's own pace)."""

    pitch: Pitch | None = None
    speed: SpeedLabel | SpeedFactor | None = None


class Reference(Struct, frozen=True):
    """A recording whose voice is to be cloned.

    ``audio`` holds the bytes of any audio file; ``transcript`` what is said in it; ``latent`` the bytes of a ``.npy``
    file, for engines that clone from a precomputed latent (MegaTTS 3).
    """

    audio: bytes
    transcript: str | None = None
    latent: bytes | None = None


VoiceChoice: TypeAlias = str | Reference | None


class SpeechRequest(Struct, frozen=True):
    """What a caller wants spoken.

    ``voice`` is the name of a voice, a ``Reference`` to clone for this request, or ``None`` for the engine's first
    voice. With ``script`` the text is a dialogue in the ``<role:NAME>`` markup and ``voice`` is not used.
    """

    text: str
    voice: VoiceChoice = None
    style: Style = Style()
    sampling: Sampling = Sampling()
    diffusion: Diffusion = Diffusion()
    limits: SplitLimits = SplitLimits()
    script: bool = False


class Voice(Struct, frozen=True, eq=False):
    """A voice that an engine can speak with.

    ``codes`` is the engine's own encoding of the voice (arrays by name; empty for a voice that the engine builds in).
    ``reference`` is what it was made from and lets another engine encode it anew; built-in voices have none.
    """

    name: str
    engine: str
    builtin: bool = False
    language: str | None = None
    description: str = ""
    codes: Mapping[str, NDArray[np.generic]] = {}
    reference: Reference | None = None


class Line(Struct, frozen=True, eq=False):
    """One piece of text, ready for the engine: normalised, within the window, every sampling field set.

    ``index`` counts the lines of the request; ``request_id`` is the same for all of them. Lines of a request that have
    the same voice share one ``continuity``, in which an engine can keep what makes them sound alike. ``opens`` and
    ``closes`` say whether it is the first and the last line of its turn.
    """

    request_id: str
    index: int
    text: str
    language: str
    voice: Voice
    style: Style
    sampling: Sampling
    diffusion: Diffusion = Diffusion()
    continuity: Continuity | None = None
    opens: bool = True
    closes: bool = True


class Usage(Struct, frozen=True):
    """Tokens read and tokens generated (the engine says what a token is).

    ``retries`` counts how often the model gave no speech and was asked again.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    retries: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.retries + other.retries,
        )


class AudioChunk(Struct, frozen=True, eq=False):
    """A stretch of speech: mono float32 ``samples`` [N] in [-1, 1], and the usage since the chunk before."""

    samples: NDArray[np.float32]
    sample_rate: int
    usage: Usage = Usage()


class IdRanges(Struct, frozen=True):
    """A set of token ids as half-open ranges ``(first, end)``, sorted and disjoint."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdRanges:
        """Return the set of these ids, in any order and repeated or not."""
        ranges: list[tuple[int, int]] = []
        for token in sorted(set(ids)):
            if ranges and ranges[-1][1] == token:
                ranges[-1] = (ranges[-1][0], token + 1)
            else:
                ranges.append((token, token + 1))
        return cls(tuple(ranges))

    def __contains__(self, token: object) -> bool:
        return isinstance(token, int) and any(first <= token < end for first, end in self.ranges)

    def __len__(self) -> int:
        return sum(end - first for first, end in self.ranges)


class TokenRequest(Struct, frozen=True):
    """What a backend is asked to generate: ids in, ids out.

    ``allowed`` says which ids can follow: empty means any; one set holds for every step (``flat``); several repeat in
    turn, set ``i % len(allowed)`` at step ``i`` (``cycle``). Stop ids are always allowed. ``sampling`` has every field
    set. The stop id itself is not part of the answer.
    """

    id: str
    prompt: tuple[int, ...]
    stop: frozenset[int]
    sampling: Sampling
    allowed: tuple[IdRanges, ...] = ()
