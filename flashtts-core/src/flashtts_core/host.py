"""Opens a model: finds the engine of a checkpoint, gives it the backend it asks for, and returns the synthesizer."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from flashtts_core.backends import Backend, BackendContext, BackendSpec
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.engines import EngineContext, EngineSpec
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.hub import fetch, local_path
from flashtts_core.kinds import misfit
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings, fields_of
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.types import SAMPLING_FIELDS

logger = logging.getLogger(__name__)

HOST_KNOBS = frozenset(
    {"model_path", "backend", "voice_dir", "seed", "max_text_length", "max_reference_seconds", "plugin"}
)
"""Knobs that the host itself honours, whatever engine and backend are open."""


async def open_synthesizer(settings: Settings, plugins: Plugins | None = None) -> Synthesizer:
    """Open the model that ``settings`` name; raises ``ConfigError`` and its kin if that cannot be done."""
    if (found := misfit(settings)) is not None:
        raise ConfigError(f"The setting {found[0]} must be {found[1]}.")
    plugins = plugins or Plugins.discover()
    folder = None if settings.model_path is None else await find_model(settings.model_path, plugins)
    spec = plugins.detect(folder, settings)
    backend = plugins.backend(settings.backend) if spec.uses_llm else None
    _warn_of_idle_knobs(settings, spec, backend)
    if backend is not None:
        _warn_of_sampling(backend)

    async def open_backend(llm_folder: Path) -> Backend:
        assert backend is not None, f"the engine {spec.name} opens a backend but its spec says it uses none"
        context = BackendContext(llm_folder, settings, _own(backend, settings))
        return GuardedBackend(await backend.open(context), max_length=settings.max_length)

    engine = await spec.open(EngineContext(folder, settings, open_backend, _own(spec, settings)))
    try:
        return Synthesizer(engine, _with_roles(settings, spec), backend=backend)
    except BaseException:
        await engine.aclose()  # its threads would keep the process alive
        raise


async def load(
    model_path: str | None = None, backend: str | None = None, settings: Settings | None = None
) -> Synthesizer:
    """Open a model: ``model_path`` and ``backend``, where given, stand over those of ``settings``.

    Without a path the embedded voice speaks. Raises ``ConfigError`` and its kin.
    """
    chosen = settings or Settings()
    given = {"model_path": model_path, "backend": backend}
    changes = {name: value for name, value in given.items() if value is not None}
    return await open_synthesizer(msgspec.structs.replace(chosen, **changes))


async def find_model(model_path: str, plugins: Plugins) -> Path:
    """Return the folder of a model: the one of that path, or that of a hub id, fetched if need be.

    Raises ``BadCheckpoint`` and, if it cannot be fetched, ``ConfigError``.
    """
    if (folder := local_path(model_path)) is None:
        return await fetch(model_path, [pattern for entry in plugins.engines for pattern in entry.spec.files])
    if folder.is_dir():
        return folder
    raise BadCheckpoint(
        f"There is no model folder {model_path}. Give --model_path a folder or a hub id such as "
        f"SparkAudio/Spark-TTS-0.5B; left out, the embedded voice speaks."
    )


def _with_roles(settings: Settings, spec: EngineSpec) -> Settings:
    """Return the settings with the engine's usual role folder, if none is chosen and it is there."""
    if settings.role_dir is None and spec.roles is not None and Path(spec.roles).is_dir():
        return msgspec.structs.replace(settings, role_dir=spec.roles)
    return settings


def _own(spec: EngineSpec | BackendSpec, settings: Settings) -> Struct | None:
    """Return the plugin's own settings from its table."""
    table: dict[str, Any] = settings.plugin.get(spec.name, {})
    if spec.own is None:
        if table:
            raise ConfigError(f"The plugin {spec.name!r} has no settings of its own; remove [plugin.{spec.name}].")
        return None
    try:
        return msgspec.convert(table, spec.own, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"The settings of the plugin {spec.name!r} do not fit: {error}.") from error


def _warn_of_sampling(backend: BackendSpec) -> None:
    """Log which sampling fields the backend cannot honour; answers name them, too."""
    if missing := [name for name in SAMPLING_FIELDS if name not in backend.sampling]:
        logger.warning("The backend %s does not honour: %s. Answers say so too.", backend.name, ", ".join(missing))


def _warn_of_idle_knobs(settings: Settings, engine: EngineSpec, backend: BackendSpec | None) -> None:
    """Log one warning that names the settings which were changed and mean nothing here."""
    useful = HOST_KNOBS | engine.knobs | (backend.knobs if backend else frozenset())
    idle = [
        name
        for name, field in fields_of(Settings).items()
        if name not in useful and getattr(settings, name) != field.default
    ]
    if backend is None and settings.backend != fields_of(Settings)["backend"].default:
        idle.append("backend")
    if idle:
        flags = ", ".join(f"--{name}" for name in idle)
        logger.warning("Without effect on the engine %s: %s.", engine.name, flags)
