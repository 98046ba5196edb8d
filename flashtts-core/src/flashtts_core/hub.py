"""Fetches models from a hub by their id (``SparkAudio/Spark-TTS-0.5B``), through the library huggingface_hub.

Cache, resuming and the variables ``HF_HOME``, ``HF_ENDPOINT``, ``HF_HUB_OFFLINE`` and ``HF_TOKEN`` are the library's.
It is imported when a model is fetched: ``flashtts`` works without it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flashtts_core.errors import BadCheckpoint, ConfigError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
logger = logging.getLogger(__name__)


def is_hub_id(name: str) -> bool:
    """Say whether a name has the form of a hub id, ``owner/model``; so have some paths."""
    return _HUB_ID.fullmatch(name) is not None


def local_path(name: str) -> Path | None:
    """Return the path that ``name`` means, ``None`` for a hub id: it reads ``owner/model`` and no such path is here."""
    path = Path(name).expanduser()
    return None if is_hub_id(name) and not path.exists() else path


async def fetch(hub_id: str, patterns: Sequence[str]) -> Path:
    """Fetch the files of a repository that match any of the glob ``patterns``; return the folder in the cache.

    Progress is shown on a terminal. When this is cancelled, the download ends with the piece that is under way. Raises
    ``ConfigError`` (library absent, hub out of reach, download failed) and ``BadCheckpoint`` (no such repository).
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_download, hub_id, patterns, stop)
    finally:
        stop.set()


def _download(hub_id: str, patterns: Sequence[str], stop: threading.Event) -> Path:
    try:
        from huggingface_hub import constants, errors, snapshot_download  # noqa: PLC0415  # absent in a plain install
    except ImportError as error:
        raise ConfigError(
            f"There is no folder {hub_id}, and huggingface_hub, which would fetch a model of that name, is not "
            f'installed. Run: pip install "flashtts[torch]"'
        ) from error
    logger.info("Fetching %s from %s, or from the cache in %s.", hub_id, constants.ENDPOINT, constants.HF_HUB_CACHE)
    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=list(patterns), tqdm_class=_progress(stop)))
    except errors.GatedRepoError as error:
        raise BadCheckpoint(
            f"{hub_id} is only for those who accepted its terms. Accept them at {constants.ENDPOINT}/{hub_id} and set "
            f"HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise BadCheckpoint(
            f"There is no folder {hub_id} here and no model {hub_id} at {constants.ENDPOINT}. Check --model_path; for "
            f"a private model set HF_TOKEN."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise ConfigError(
            f"There is no folder {hub_id}, and the model of that name is not, or not wholly, in the cache "
            f"{constants.HF_HUB_CACHE} while {_reason(constants.is_offline_mode(), constants.ENDPOINT)}. Go online "
            f"once, or give --model_path a folder."
        ) from error
    except Exception as error:  # each version of the library lets through the errors of another HTTP client
        raise ConfigError(
            f"Fetching {hub_id} from {constants.ENDPOINT} failed: {_first_line(error)}. Start again to go on from the "
            f"files that are there."
        ) from error
    if not folder.is_dir():
        raise BadCheckpoint(f"{hub_id} holds none of the files that the installed engines need. Check --model_path.")
    return folder


def _reason(is_offline: bool, endpoint: str) -> str:
    return "HF_HUB_OFFLINE is set" if is_offline else f"{endpoint} cannot be reached"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")


def _progress(stop: threading.Event) -> type[Any]:
    """Return the library's progress bar, shown on terminals only, that breaks the download off once ``stop`` is set."""
    from huggingface_hub.utils.tqdm import tqdm  # noqa: PLC0415  # absent in a plain install

    class Progress(tqdm):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **{"disable": None, **named})  # type: ignore[no-untyped-call]  # None: by terminal
            self._counts_bytes = named.get("unit") == "B"

        def update(self, n: float | None = 1) -> Any:
            if stop.is_set() and self._counts_bytes:  # the bar that counts files is not moved by what downloads them
                raise InterruptedError("the download was stopped")
            return super().update(n)

    return Progress
