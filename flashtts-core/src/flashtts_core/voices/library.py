"""Finds a voice by name, wherever it comes from, encoded for the engine that is open."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from flashtts_core.engines import Abilities
from flashtts_core.errors import NotSupported, RequestError, UnknownVoice, VoiceExists, VoiceStoreError
from flashtts_core.types import Reference, Voice
from flashtts_core.voices.folder import FolderStore
from flashtts_core.voices.names import checked_name, spelled
from flashtts_core.voices.roles import RoleFolder
from flashtts_core.voices.stored import Content

CACHE_SIZE = 64
"""Encoded voices kept in memory; the others are read again when they are used."""
NAMES_TOLD = 40
"""Voices that an error lists at most."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


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

    An engine that cannot make voices from recordings has its built-in ones only. Another process may add, replace and
    remove voices at any time: what is kept in memory is used only while it is what the store has.
    """

    def __init__(self, engine: VoiceEncoder, store: FolderStore, roles: RoleFolder | None, *, io: Executor) -> None:
        self._engine = engine
        self._store = store
        self._cloning = engine.abilities.cloning
        self._roles = roles if self._cloning else None
        self._encoding = "-".join(part for part in (engine.name, engine.abilities.encoding) if part)
        self._io = io
        self._cache: OrderedDict[str, tuple[Content | None, Voice]] = OrderedDict()
        self._loading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

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
        name = spelled(name)
        return name in self._engine.voices or self._is_role(name)

    async def get(self, name: str | None) -> Voice:
        """Return a voice ready to speak (``None``: the default); raises ``UnknownVoice`` that lists the known ones."""
        builtin = self._engine.voices
        if name is None:
            name = await self._first()
        name = spelled(name)
        if name in builtin:
            return builtin[name]
        # Of two requests for one voice, the second waits and finds it made; other voices do not wait.
        async with self._loading.setdefault(name, asyncio.Lock()):
            content = await self._content(name)
            if name in self._cache and self._cache[name][0] == content:
                self._cache.move_to_end(name)
                return self._cache[name][1]
            content, voice = await (self._role(name) if self._is_role(name) else self._stored(name))
            self._remember(content, voice)
            return voice

    async def clone(self, reference: Reference) -> Voice:
        """Make a voice for one request; raises ``NotSupported`` and what ``Engine.encode_voice`` raises."""
        self.require_cloning(latent=reference.latent is not None)
        return await self._made("", reference)

    async def add(self, name: str, reference: Reference, *, overwrite: bool = False) -> Voice:
        """Make a voice and keep it; raises ``VoiceExists`` unless ``overwrite``, and as ``clone``."""
        self.require_cloning(latent=reference.latent is not None)
        name = checked_name(name)
        if self.is_builtin(name):
            raise VoiceExists(f"{name!r} is a built-in voice; choose another name.", param="name")
        if not overwrite and await self._in_io(lambda: self._store.find(name)) is not None:
            raise VoiceExists(f"There is already a voice {name!r}; choose another name or overwrite it.", param="name")
        voice = msgspec.structs.replace(await self._made(name, reference), reference=reference)
        await self._in_io(lambda: self._store.save(voice, self._encoding, overwrite=overwrite))
        return voice

    async def remove(self, name: str) -> None:
        """Forget an added voice; raises ``UnknownVoice``, and ``NotSupported`` for a built-in one."""
        name = spelled(name)
        if self.is_builtin(name):
            raise NotSupported(f"{name!r} is a built-in voice and cannot be deleted.", param="name")
        if not self._cloning:
            raise UnknownVoice(await self._unknown(name), param="name")
        try:
            await self._in_io(lambda: self._store.remove(name))
        except UnknownVoice:
            raise UnknownVoice(await self._unknown(name), param="name") from None
        finally:
            self._cache.pop(name, None)

    async def rename(self, name: str, new_name: str) -> str:
        """Give an added voice another name and return that; raises as ``remove``, and ``VoiceExists`` as ``add``."""
        name, new_name = spelled(name), checked_name(new_name, "new_name")
        if self.is_builtin(name):
            raise NotSupported(f"{name!r} is a built-in voice and cannot be renamed.", param="name")
        if not self._cloning:
            raise UnknownVoice(await self._unknown(name), param="name")
        if new_name in await self.names():
            raise VoiceExists(f"There is already a voice {new_name!r}; choose another name.", param="new_name")
        try:
            await self._in_io(lambda: self._store.rename(name, new_name))
        except UnknownVoice:
            raise UnknownVoice(await self._unknown(name), param="name") from None
        finally:
            self._cache.pop(name, None)
        return new_name

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

    async def _first(self) -> str:
        names = await self.names()
        if not names:
            raise UnknownVoice(
                f"The engine {self._engine.name!r} has no voice of its own. Add one from a recording (/add_speaker, "
                f"flashtts voices add), start with --role_dir, or clone one in the request (/clone_voice).",
                param="voice",
            )
        return names[0]

    def _is_role(self, name: str) -> bool:
        return self._roles is not None and name in self._roles

    async def _content(self, name: str) -> Content | None:
        """Return what a voice that was added is made of now, ``None`` for a role; raises ``UnknownVoice``."""
        if self._is_role(name):
            return None
        meta = await self._in_io(lambda: self._store.find(name)) if self._cloning else None
        if meta is None:
            self._cache.pop(name, None)
            raise UnknownVoice(await self._unknown(name), param="voice")
        return meta.content

    async def _role(self, name: str) -> tuple[None, Voice]:
        assert self._roles is not None, "a role comes from a folder of roles"
        roles = self._roles
        return None, await self._encoded(name, await self._in_io(lambda: roles.reference(name)))

    async def _stored(self, name: str) -> tuple[Content, Voice]:
        kept = await self._in_io(lambda: self._store.load(name, self._encoding))
        if kept.codes is not None:
            return kept.content, Voice(name, self._engine.name, codes=kept.codes)
        # Added under another engine: this one makes its own codes from the kept recording, once.
        assert kept.reference is not None, "the store gives the codes or the recording"
        voice = await self._encoded(name, kept.reference)
        try:
            await self._in_io(lambda: self._store.save_codes(voice, self._encoding, kept.content))
        except VoiceStoreError as error:
            logger.warning("The codes of the voice %r will be made again after the next start: %s", name, error)
        return kept.content, voice

    async def _encoded(self, name: str, reference: Reference) -> Voice:
        """Make the codes of a voice whose recording is here; what is wrong with that is about the voice then."""
        try:
            return await self._made(name, reference)
        except RequestError as error:
            raise type(error)(
                f"The voice {name!r} cannot be used with the engine {self._engine.name!r}: {error}", param="voice"
            ) from error

    async def _made(self, name: str, reference: Reference) -> Voice:
        """Let the engine make a voice; whatever it calls it, it is kept and found under the name that was asked for."""
        return msgspec.structs.replace(await self._engine.encode_voice(name, reference), name=name)

    def _remember(self, content: Content | None, voice: Voice) -> None:
        # The recording stays on disk.
        self._cache[voice.name] = content, msgspec.structs.replace(voice, reference=None)
        self._cache.move_to_end(voice.name)
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)

    async def _unknown(self, name: str) -> str:
        names = await self.names()
        more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
        return f"There is no voice {name!r}. Known voices: {', '.join(names[:NAMES_TOLD]) or 'none'}{more}."

    async def _in_io(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._io, call)
