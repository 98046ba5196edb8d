"""Keeps the voices that the model made up for the built-in names, over all requests and across restarts.

They are written by the names of their tokens, into one file of the voice folder that voice stores do not look at.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from flashtts_core.continuity import Continuity
from flashtts_core.disk import Disk
from flashtts_core.engines.spark.prompt import Acoustics, Answer, Labels, Vocabulary

FILE_NAME = ".spark-fixed-voices.json"
logger = logging.getLogger(__name__)


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    tokens: tuple[str, ...]
    labels: Labels


class FixedVoices:
    """The voices of the built-in names, read from and written to ``folder``."""

    def __init__(self, folder: Path, vocabulary: Vocabulary, global_count: int) -> None:
        self._path = folder / FILE_NAME
        self._vocabulary = vocabulary
        self._made: defaultdict[str, Continuity] = defaultdict(Continuity)
        self._global_count = global_count
        self._writing = asyncio.Lock()
        self._kept = self._read()

    async def settle(self, name: str, make_up: Callable[[], Awaitable[Acoustics]]) -> Acoustics:
        """Return the voice of a built-in name; the first time ever, ``make_up`` makes it."""

        async def decide() -> Acoustics:
            if name in self._kept:
                return self._kept[name]
            acoustics = await make_up()
            await self._keep(name, acoustics)
            return acoustics

        settled = await self._made[name].settle(decide)
        assert isinstance(settled, Acoustics)
        return settled

    def _acoustics(self, kept: _Kept) -> Acoustics:
        """Return a kept voice; raises ``ValueError`` for one that this model cannot have made."""
        try:
            ids = tuple(self._vocabulary.read(kept.tokens))
        except KeyError as error:
            raise ValueError(f"the model has no token {error}") from error
        answer = Answer(self._vocabulary)
        answer.add(ids)
        if answer.acoustic_ids != ids or len(answer.globals) != self._global_count:
            raise ValueError("the tokens are not those of a voice")
        return Acoustics(ids, tuple(answer.globals), kept.labels)

    def _read(self) -> dict[str, Acoustics]:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Kept])
            return {name: self._acoustics(each) for name, each in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, ValueError) as error:
            logger.warning(
                "The kept voices in %s cannot be used (%s); new ones will be made and kept.", self._path, error
            )
            return {}

    async def _keep(self, name: str, acoustics: Acoustics) -> None:
        async with self._writing:
            self._kept[name] = acoustics
            spelled = {
                voice: _Kept(tuple(self._vocabulary.spell(each.ids)), each.labels) for voice, each in self._kept.items()
            }
            content = msgspec.json.format(msgspec.json.encode(spelled))
            try:
                await asyncio.to_thread(self._write, content)
            except OSError as error:
                logger.warning("The voices cannot be kept in %s (%s); they last until the end.", self._path, error)

    def _write(self, content: bytes) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new one."""
        disk = Disk()
        disk.make_folders(self._path.parent)
        disk.replace(self._path, content)
        disk.sync_folder(self._path.parent)
