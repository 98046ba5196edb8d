"""What is kept of a voice: the content of ``voice.json``, and what is read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.types import Reference

META = "voice.json"

Content: TypeAlias = tuple[str, str | None, str | None]
"""What a voice was made from: hashes of recording and latent, and the transcript. The codes follow from it."""


class StoredVoice(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``voice.json``; ``reference``, ``latent`` and the values of ``codes`` are files beside it."""

    name: str
    created: float
    """Seconds since the epoch."""
    reference: str
    latent: str | None = None
    transcript: str | None = None
    codes: dict[str, str] = {}
    """By the encoding they are in."""
    next_name: str | None = None
    """The name it is getting: its name as soon as the folder is that name's."""
    format: Literal[1] = 1

    @property
    def content(self) -> Content:
        """What the voice was made from."""
        return self.reference, self.latent, self.transcript

    @property
    def files(self) -> frozenset[str | None]:
        """The names of all files of the voice."""
        return frozenset({META, self.reference, self.latent, *self.codes.values()})


class Kept(Struct, frozen=True, eq=False):
    """What the store has of a voice: its codes, or else the reference to make them from."""

    content: Content
    codes: Mapping[str, NDArray[Any]] | None
    reference: Reference | None
