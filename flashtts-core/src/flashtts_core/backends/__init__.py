"""A backend is one language-model runtime: prompt ids in, generated ids out, many requests at once.

``Backend`` is what engines see. ``BackendSpec`` is what a plugin registers: cheap to import, heavy to ``open``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from flashtts_core.settings import Settings
from flashtts_core.types import SAMPLING_FIELDS, TokenRequest

Restriction = Literal["none", "flat", "cycle"]


class Backend(Protocol):
    """A loaded language model.

    ``generate`` yields lists of new ids as they come; the stop id and anything after it are not part of them, and at
    most ``sampling.max_tokens`` come in all. Closing the generator stops the model within one token and frees its
    place in the batch. Errors: ``RequestError`` for a prompt that cannot be run (too long, ids outside the
    vocabulary), ``EngineError`` for a failure of this request, ``BackendDied`` when no request will run again.
    """

    vocab_size: int
    max_length: int
    """Longest context, prompt and answer together."""

    def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids for ``request``."""
        ...

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        ...

    @property
    def alive(self) -> bool:
        """False once the runtime is gone for good."""
        ...

    async def aclose(self) -> None:
        """Stop all requests and free the model; closing twice is harmless."""
        ...


class BackendContext(Struct, frozen=True):
    """What ``BackendSpec.open`` gets: the folder of the language model, the settings, the plugin's own settings."""

    folder: Path
    settings: Settings
    own: Struct | None = None


class BackendSpec(Struct, frozen=True):
    """A language-model runtime that a plugin provides.

    ``sampling`` names the fields of ``Sampling`` it honours; a request that sets another one is answered all the same,
    and the host tells the user. ``restriction`` says how far it holds to ``TokenRequest.allowed``: ``cycle`` exactly;
    ``flat`` to one set, so that of a cycle it allows the union; ``none`` not at all. ``knobs`` are the fields of
    ``Settings`` that mean something to it. ``requires`` are the
    modules that must be importable, ``install`` is the command that brings them. ``own`` is a struct of further
    settings, read from the table ``[plugin.<name>]`` and from flags ``--<name>_<field>``.
    """

    name: str
    summary: str
    open: Callable[[BackendContext], Awaitable[Backend]]
    aliases: tuple[str, ...] = ()
    sampling: frozenset[str] = frozenset(SAMPLING_FIELDS)
    restriction: Restriction = "none"
    knobs: frozenset[str] = frozenset()
    own: type[Struct] | None = None
    requires: tuple[str, ...] = ()
    install: str = ""
