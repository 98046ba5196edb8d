"""Finds a voice by name, wherever it comes from, encoded for the engine that is open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import ParamSpec, Protocol, TypeVar

import msgspec

from flashtts_core.engines import Abilities
from flashtts_core.errors import NotSupported, UnknownVoice, VoiceExists
from flashtts_core.types import Reference, Voice
from flashtts_core.voices.folder import FolderStore, checked_name
from flashtts_core.voices.roles import RoleFolder

CACHE_SIZE = 64
"""Encoded voices kept in memory; the others are read again when they are used."""

P = ParamSpec("P")
T = TypeVar("T")


class VoiceEncoder(Protocol):
    """The part of an engine that knows voices."""

    name: str
    abilities: Abilities

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The built-in voices by name; the first is the default."""
        ...

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Make a voice from a recording."""
        ...


class VoiceLibrary:
    """The voices of an open engine: built in, from the role folder, and added by callers (in this order of precedence).

    Of an engine that cannot make voices from recordings only the built-in ones are listed.
    """

    def __init__(self, engine: VoiceEncoder, store: FolderStore, roles: RoleFolder | None, *, io: Executor) -> None:
        self._engine = engine
        self._store = store
        self._cloning = engine.abilities.cloning
        self._roles = roles if self._cloning else None
        self._io = io
        self._cache: OrderedDict[str, Voice] = OrderedDict()
        self._encoding = asyncio.Lock()

    async def names(self) -> list[str]:
        """Return the names of all voices: the built-in ones first, each kind sorted as its source has it."""
        names = list(self._engine.voices)
        if self._roles:
            names += self._roles.names()
        if self._cloning:
            names += await self._in_io(self._store.names)
        return list(dict.fromkeys(names))

    def is_builtin(self, name: str) -> bool:
        """Say whether a voice belongs to the engine or the role folder, so that it cannot be replaced or removed."""
        return name in self._engine.voices or (self._roles is not None and name in self._roles.names())

    async def get(self, name: str | None) -> Voice:
        """Return a voice ready to speak (``None``: the default); raises ``UnknownVoice`` that lists the known ones."""
        builtin = self._engine.voices
        if name is None:
            name = await self._first()
        if name in builtin:
            return builtin[name]
        if name in self._cache:
            self._cache.move_to_end(name)
            return self._cache[name]
        async with self._encoding:
            voice = await self._load(name)
        self._remember(voice)
        return voice

    async def clone(self, reference: Reference) -> Voice:
        """Make a voice for one request; raises ``NotSupported`` and what ``Engine.encode_voice`` raises."""
        self.require_cloning(latent=reference.latent is not None)
        return await self._engine.encode_voice("", reference)

    async def add(self, name: str, reference: Reference, *, overwrite: bool = False) -> Voice:
        """Make a voice and keep it; raises ``VoiceExists`` unless ``overwrite``, and as ``clone``."""
        self.require_cloning(latent=reference.latent is not None)
        name = checked_name(name)
        if self.is_builtin(name):
            raise VoiceExists(f"{name!r} is a built-in voice; choose another name.", param="name")
        if not overwrite and name in await self.names():
            raise VoiceExists(f"There is already a voice {name!r}; choose another name or overwrite it.", param="name")
        encoded = await self._engine.encode_voice(name, reference)
        voice = msgspec.structs.replace(encoded, reference=reference)
        await self._in_io(lambda: self._store.save(voice, overwrite=overwrite))
        self._remember(voice)
        return voice

    async def remove(self, name: str) -> None:
        """Forget an added voice; raises ``UnknownVoice``, and ``NotSupported`` for a built-in one."""
        if self.is_builtin(name):
            raise NotSupported(f"{name!r} is a built-in voice and cannot be deleted.", param="name")
        if name not in await self.names():
            raise UnknownVoice(await self._unknown(name), param="name")
        await self._in_io(lambda: self._store.remove(name))
        self._cache.pop(name, None)

    async def rename(self, name: str, new_name: str) -> str:
        """Give an added voice another name and return that; raises as ``remove``, and ``VoiceExists`` as ``add``."""
        new_name = checked_name(new_name, "new_name")
        if self.is_builtin(name):
            raise NotSupported(f"{name!r} is a built-in voice and cannot be renamed.", param="name")
        names = await self.names()
        if name not in names:
            raise UnknownVoice(await self._unknown(name), param="name")
        if new_name in names:
            raise VoiceExists(f"There is already a voice {new_name!r}; choose another name.", param="new_name")
        await self._in_io(lambda: self._store.rename(name, new_name))
        self._cache.pop(name, None)
        return new_name

    async def _first(self) -> str:
        names = await self.names()
        if not names:
            raise UnknownVoice(
                f"The engine {self._engine.name!r} has no voice of its own. Add one from a recording (/add_speaker, "
                f"flashtts voices add), start with --role_dir, or clone one in the request (/clone_voice).",
                param="voice",
            )
        return names[0]

    async def _load(self, name: str) -> Voice:
        if name not in await self.names():
            raise UnknownVoice(await self._unknown(name), param="voice")
        if self._roles is not None and name in self._roles.names():
            roles = self._roles
            reference = await self._in_io(lambda: roles.reference(name))
            return await self._engine.encode_voice(name, reference)
        voice = await self._in_io(lambda: self._store.load(name, self._engine.name))
        if voice.codes or voice.reference is None:
            return voice
        # Added under another engine: this one makes its own codes from the kept recording, once.
        encoded = await self._engine.encode_voice(name, voice.reference)
        voice = msgspec.structs.replace(encoded, reference=voice.reference)
        await self._in_io(lambda: self._store.save_codes(voice))
        return voice

    def _remember(self, voice: Voice) -> None:
        self._cache[voice.name] = msgspec.structs.replace(voice, reference=None)  # the recording stays on disk
        self._cache.move_to_end(voice.name)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)

    def require_cloning(self, *, latent: bool) -> None:
        """Raise ``NotSupported`` if the engine cannot make voices from recordings, or not without a latent."""
        if not self._cloning:
            known = ", ".join(self._engine.voices)
            raise NotSupported(
                f"The engine {self._engine.name!r} cannot clone voices. Use one of its own ({known}), "
                f"or start flashtts with a model that clones, such as Spark-TTS."
            )
        if self._engine.abilities.latent and not latent:
            raise NotSupported(
                f"The engine {self._engine.name!r} clones a voice from a recording together with its latent, a .npy "
                f"file. Send it as latent_file to /clone_voice, or once to /add_speaker and name that role from then "
                f"on; on the command line it is --latent_file.",
                param="latent_file",
            )

    async def _unknown(self, name: str) -> str:
        return f"There is no voice {name!r}. Known voices: {', '.join(await self.names()) or 'none'}."

    async def _in_io(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._io, call)
