"""An engine knows one family of speech models: its checkpoint, its prompts, its codec and its voices.

``Engine`` is what the synthesizer sees. ``EngineSpec`` is what a plugin registers: cheap to import, heavy to ``open``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from flashtts_core.backends import Backend
from flashtts_core.settings import Settings
from flashtts_core.types import AudioChunk, Line, Reference, Sampling, Voice


class Abilities(Struct, frozen=True):
    """What an engine can do; a request that needs more is answered ``NotSupported``.

    ``sampling`` names the fields of ``Sampling`` that mean something to the engine. ``speed_range`` are the factors it
    can pace itself; the rest is made by time-stretching. ``labels`` says that it has pitch and speed levels of its
    own. ``scripts`` are the writing systems it reads (names of ``flashtts_core.text.alphabet``; empty: all).
    ``encoding`` names what the codes of its voices are in, beside the engine's name (a hash of the codebook): codes
    that were kept in another encoding are made anew from the recording.
    """

    languages: tuple[str, ...]
    scripts: frozenset[str] = frozenset()
    cloning: bool = False
    latent: bool = False
    """Cloning needs the latent of the reference beside its audio."""
    labels: bool = False
    speed_range: tuple[float, float] = (1.0, 1.0)
    sampling: frozenset[str] = frozenset()
    encoding: str = ""
    diffusion: bool = False
    """It makes speech by diffusion, so that the fields of ``Diffusion`` mean something to it."""


class TextRules(Struct, frozen=True):
    """How the text is prepared before it reaches the engine, and its lines put together afterwards.

    ``normalize``: write out numbers, dates and units first (an engine with a front end of its own does not want it).
    ``merge``: gather sentences up to the window; otherwise every sentence is a line. ``overlap``: seconds in which a
    line of a turn fades into the next (0: they are put end to end); each line is one chunk then. ``lead``: of a text
    that is cut, the first sentence is a line by itself, so that it is heard early.
    """

    normalize: bool = True
    merge: bool = True
    overlap: float = 0.0
    lead: bool = False


class Engine(Protocol):
    """A loaded speech model; used from one event loop, for many requests at once."""

    name: str
    sample_rate: int
    abilities: Abilities
    rules: TextRules
    defaults: Sampling
    """Sampling for fields that a request leaves out; every field is set."""
    parallel: int
    """Lines it can usefully speak at the same time."""

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The built-in voices by name; the first is the default. An engine that only clones has none."""
        ...

    @property
    def alive(self) -> bool:
        """False once no request will succeed again."""
        ...

    def language(self, text: str) -> str:
        """Return the language (ISO 639-1) that ``text`` will be read in."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return the length of ``text`` in the units of ``SplitLimits``."""
        ...

    def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak one line, chunk by chunk, as soon as there is sound; closing the generator stops the model."""
        ...

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Make a voice from a recording; raises ``NotSupported`` (no such ability), ``BadAudio``, ``RequestError``."""
        ...

    async def warm_up(self) -> None:
        """Run the model once, so that the first request is as fast as the next."""
        ...

    async def aclose(self) -> None:
        """Stop and free everything, the backend too; closing twice is harmless."""
        ...


class EngineContext(Struct, frozen=True):
    """What ``EngineSpec.open`` gets.

    ``folder`` is the checkpoint (``None`` for an embedded voice). ``open_backend`` opens the backend the user chose on
    the folder of a language model; the engine owns it then and closes it.
    """

    folder: Path | None
    settings: Settings
    open_backend: Callable[[Path], Awaitable[Backend]]
    own: Struct | None = None


class EngineSpec(Struct, frozen=True):
    """A family of speech models that a plugin provides.

    ``detect`` says whether a folder is such a checkpoint, by its files, without loading anything; an ``embedded``
    engine needs no folder and speaks when none is given. ``uses_llm`` engines open a backend. ``knobs`` are the fields
    of ``Settings`` that mean something to it; ``own``, ``requires`` and ``install`` are as in ``BackendSpec``.
    ``files`` are glob patterns (``*`` matches ``/`` too) of what it needs of a repository that is fetched from a hub.
    ``roles`` is the role folder that is read, if it is there, where ``--role_dir`` is left out.
    """

    name: str
    summary: str
    open: Callable[[EngineContext], Awaitable[Engine]]
    detect: Callable[[Path, Settings], bool]
    files: tuple[str, ...] = ()
    roles: str | None = None
    embedded: bool = False
    uses_llm: bool = False
    knobs: frozenset[str] = frozenset()
    own: type[Struct] | None = None
    requires: tuple[str, ...] = ()
    install: str = ""
