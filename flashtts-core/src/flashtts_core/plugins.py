"""Discovery of plugins, and the registry of the engines and backends they bring.

Entry points are loaded one by one: a plugin that breaks is remembered with its cause and the others still work.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import pluggy
from msgspec import Struct

from flashtts_core import hookspecs
from flashtts_core.backends import BackendSpec
from flashtts_core.engines import EngineSpec
from flashtts_core.errors import BadCheckpoint, ConfigError, PluginConflict, UnknownPlugin
from flashtts_core.registration import check, check_decorated
from flashtts_core.settings import Settings

if TYPE_CHECKING:
    import click

logger = logging.getLogger(__name__)

EXTRAS = {
    "torch": "torch",
    "vllm": "vllm",
    "sglang": "sglang",
    "llama-cpp": "llama-cpp",
    "mlx-lm": "mlx",
    "mlx": "mlx",
    "tensorrt-llm": "trt",
    "trt": "trt",
}
"""The extra of the distribution ``flashtts`` that brings each of the project's own backends."""

Spec = TypeVar("Spec", bound=EngineSpec | BackendSpec)


class PluginInfo(Struct, frozen=True):
    """Where a plugin comes from; ``error`` says why a broken one is broken."""

    name: str
    module: str
    distribution: str
    version: str
    error: BaseException | None = None


@dataclass(frozen=True)
class Registered(Generic[Spec]):
    """A spec and the plugin that brought it."""

    spec: Spec
    plugin: PluginInfo

    @property
    def missing(self) -> tuple[str, ...]:
        """The required modules that are not installed."""
        return tuple(name for name in self.spec.requires if not _is_installed(name))


class Plugins:
    """The plugins of one process, by kind and name.

    Make one with ``discover`` and pass it down; there is no global registry.
    """

    def __init__(self, manager: pluggy.PluginManager, infos: Sequence[PluginInfo]) -> None:
        self._manager = manager
        self.infos = tuple(infos)
        self._engines = self._collect("engine", EngineSpec, manager.hook.flashtts_engines)
        self._backends = self._collect("backend", BackendSpec, manager.hook.flashtts_backends)

    @classmethod
    def discover(cls, points: Iterable[EntryPoint] | None = None) -> Plugins:
        """Load all plugins (of ``points``, else those installed); raises ``PluginConflict`` for a name taken twice."""
        if points is None:
            points = entry_points(group=hookspecs.ENTRY_POINT_GROUP)
        manager = pluggy.PluginManager("flashtts")
        manager.add_hookspecs(hookspecs)
        infos: list[PluginInfo] = []
        for point in sorted(points, key=lambda point: point.name):
            if any(info.name == point.name for info in infos):
                first = next(info for info in infos if info.name == point.name)
                raise PluginConflict(
                    f"Two plugins are called {point.name!r}: one of {first.distribution}, one of {_dist(point)[0]}. "
                    f"Uninstall one of them."
                )
            infos.append(_load(manager, point))
        return cls(manager, infos)

    @property
    def broken(self) -> tuple[PluginInfo, ...]:
        """The plugins that could not be loaded."""
        return tuple(info for info in self.infos if info.error is not None)

    @property
    def engines(self) -> tuple[Registered[EngineSpec], ...]:
        """All engines, by name."""
        return tuple(self._engines.values())

    @property
    def backends(self) -> tuple[Registered[BackendSpec], ...]:
        """All backends, by name."""
        return tuple(dict.fromkeys(self._backends.values()))

    def commands(self) -> list[click.Command]:
        """Return the subcommands that plugins add to ``flashtts``; raises ``PluginConflict`` for a name taken twice."""
        import click  # noqa: PLC0415  # for the command line only

        found: dict[str | None, tuple[click.Command, PluginInfo]] = {}
        for info, commands in self._answers(self._manager.hook.flashtts_commands, click.Command, plugins=self):
            for command in commands:
                if command.name in found:
                    raise _conflict("command", command.name, found[command.name][1], info)
                found[command.name] = command, info
        return [command for command, _ in found.values()]

    def engine(self, name: str) -> EngineSpec:
        """Return the engine of that name; raises ``UnknownPlugin`` or, for one that lacks packages, ``ConfigError``."""
        return self._usable("engine", self._find("engine", self._engines, name))

    def backend(self, name: str) -> BackendSpec:
        """Return the backend of that name or alias; raises as ``engine``."""
        return self._usable("backend", self._find("backend", self._backends, name))

    def detect(self, folder: Path | None, settings: Settings) -> EngineSpec:
        """Return the engine whose checkpoint ``folder`` is; ``None`` means the embedded one.

        Raises ``BadCheckpoint`` if no engine knows the folder and ``PluginConflict`` if several do.
        """
        if folder is None:
            found = [entry for entry in self.engines if entry.spec.embedded]
            if not found:
                raise ConfigError(
                    "No model was given and no embedded voice is installed. "
                    'Give --model_path, or run: pip install "flashtts-engine-hibari"'
                )
        else:
            found = [entry for entry in self.engines if _detects(entry.spec, folder, settings)]
        if len(found) > 1:
            names = " and ".join(f"{e.spec.name} ({e.plugin.distribution})" for e in found)
            raise PluginConflict(f"Several engines claim {folder or 'to be the embedded voice'}: {names}.")
        if not found:
            known = ", ".join(entry.spec.name for entry in self.engines)
            broken = ", ".join(info.name for info in self.broken)
            raise BadCheckpoint(
                f"No installed engine knows the files in {folder}. Installed engines: {known}. "
                + (f"Broken plugins, of which flashtts plugins says more: {broken}. " if broken else "")
                + "Check the path, or install the engine's plugin."
            )
        return self._usable("engine", found[0])

    def _answers(
        self, hook: pluggy.HookCaller, wanted: type, **arguments: object
    ) -> Iterator[tuple[PluginInfo, list[Any]]]:
        """Call a hook of every plugin; one that fails counts as broken from then on, and the others still work."""
        for impl in hook.get_hookimpls():
            info = next(info for info in self.infos if info.name == impl.plugin_name)
            try:
                answer: Any = impl.function(*(arguments[name] for name in impl.argnames))
                found = list(answer)
                for item in found:
                    check(hook.name, wanted, item)
            except Exception as error:  # noqa: BLE001  # third-party code: whatever it raises is kept and shown on request
                broken = msgspec.structs.replace(info, error=error)
                self.infos = tuple(broken if each is info else each for each in self.infos)
            else:
                yield info, found

    def _collect(self, kind: str, wanted: type[Spec], hook: pluggy.HookCaller) -> dict[str, Registered[Spec]]:
        found: dict[str, Registered[Spec]] = {}
        for info, specs in self._answers(hook, wanted):
            for spec in specs:
                for name in (spec.name, *getattr(spec, "aliases", ())):
                    if name in found:
                        raise _conflict(kind, name, found[name].plugin, info)
                    found[name] = Registered(spec, info)
        return dict(sorted(found.items()))

    def _find(self, kind: str, found: dict[str, Registered[Spec]], name: str) -> Registered[Spec]:
        if name in found:
            return found[name]
        broken = next((info for info in self.broken if info.name == name), None)
        known = ", ".join(dict.fromkeys(entry.spec.name for entry in found.values())) or "none"
        message = f"No {kind} {name!r} is installed; installed: {known}."
        if broken is not None:
            raise UnknownPlugin(f"The plugin {name!r} is installed but broken: {broken.error}.") from broken.error
        extra = EXTRAS.get(name)
        raise UnknownPlugin(f'{message} Run: pip install "flashtts[{extra}]"' if extra else message)

    def _usable(self, kind: str, entry: Registered[Spec]) -> Spec:
        if entry.missing:
            raise ConfigError(
                f"The {kind} {entry.spec.name!r} needs {', '.join(entry.missing)}, not installed here. "
                f"Run: {entry.spec.install}"
            )
        return entry.spec


def _conflict(kind: str, name: str | None, first: PluginInfo, second: PluginInfo) -> PluginConflict:
    return PluginConflict(
        f"Two plugins bring the {kind} {name!r}: {first.distribution} and {second.distribution}. Uninstall one of them."
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a submodule of what is not there
        return False


def _detects(spec: EngineSpec, folder: Path, settings: Settings) -> bool:
    try:
        return spec.detect(folder, settings)
    except Exception:
        logger.exception("The engine %s failed to look at %s and is passed over.", spec.name, folder)
        return False


def _dist(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("(no distribution)", "")


def _load(manager: pluggy.PluginManager, point: EntryPoint) -> PluginInfo:
    name, version = _dist(point)
    info = PluginInfo(point.name, point.value, name, version)
    try:
        module = point.load()
        manager.register(module, point.name)
        manager.check_pending()
        implemented = [caller.name for caller in manager.get_hookcallers(module) or ()]
        check_decorated(module, vars(manager.hook), implemented)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # third-party code: whatever it raises is kept and shown on request
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        return PluginInfo(point.name, point.value, name, version, error)
    return info
