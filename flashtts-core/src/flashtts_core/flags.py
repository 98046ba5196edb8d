"""Turns settings structs into command-line options: one field is one flag, with its help, choices and default.

Values stay the strings that were typed; ``Sources.build`` validates them as it does variables and files, so a wrong
value is refused in the same words wherever it stands.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from flashtts_core.backends import BackendSpec
from flashtts_core.engines import EngineSpec
from flashtts_core.errors import ConfigError
from flashtts_core.plugins import Plugins
from flashtts_core.registration import flag_prefix
from flashtts_core.settings import ENVIRONMENT_PREFIX, Settings, Sources, fields_of, variable_of

logger = logging.getLogger(__name__)

SHORT_FLAGS = {"model_path": "-m", "backend": "-b"}


def dashes_are_underscores(token: str) -> str:
    """Spell a flag (click gives it without its leading dashes), so that ``--model-path`` is ``--model_path``."""
    return token.replace("-", "_")


CONTEXT: Mapping[str, Any] = {
    "token_normalize_func": dashes_are_underscores,
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
}
"""Click context settings that every flashtts command uses."""


def options(group: type[Struct], prefix: str = "") -> list[click.Option]:
    """Return one option for every knob of a settings struct."""
    return [_option(prefix + name, field) for name, field in fields_of(group).items()]


def model_options(plugins: Plugins) -> list[click.Option]:
    """Return the options that choose and open a model: ``--config``, the settings, and the plugins' own settings."""
    config = click.Option(
        ["--config"],
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=variable_of("config"),
        help="TOML file with any of these settings; flags and FLASHTTS_... variables win over it.",
    )
    found = [config, *options(Settings)]
    for name, own in _plugin_groups(plugins):
        found += options(own, prefix=flag_prefix(name))
    return found


def model_settings(plugins: Plugins, sources: Sources, *others: type[Struct]) -> Settings:
    """Build the settings from all sources; raises ``ConfigError``.

    Keys of the file that belong to none of them, nor to the settings ``others`` of the command, are named in a warning.
    """
    settings = sources.build(Settings)
    tables = _plugin_tables(sources.file)
    groups: tuple[type[Struct], ...] = (Settings, *others)
    known = {"plugin"}.union(*(fields_of(group) for group in groups))
    strays = [
        *(sources.file.keys() - known),
        *(f"[plugin.{name}]" for name in tables.keys() - {spec.name for spec in _specs(plugins)}),
    ]
    for name, own in _plugin_groups(plugins):
        strays += [f"{key} of [plugin.{name}]" for key in tables.get(name, {}).keys() - set(own.__struct_fields__)]
    if strays:
        logger.warning("Keys of the settings file that mean nothing here: %s.", ", ".join(sorted(strays)))
    for name, own in _plugin_groups(plugins):
        given = sources.build(own, prefix=flag_prefix(name), table=tables.get(name, {}))
        changed = {key: value for key in own.__struct_fields__ if (value := getattr(given, key)) != _default(own, key)}
        tables.pop(name, None)
        if changed:
            tables[name] = changed
    return msgspec.structs.replace(settings, plugin=tables)


def warn_of_stray_variables(plugins: Plugins, sources: Sources, *groups: type[Struct]) -> None:
    """Name the variables that belong to no setting of ``groups`` or of a plugin: a misspelt key would guard nothing."""
    known = {variable_of("config"), *(variable_of(name) for group in groups for name in fields_of(group))}
    for name, own in _plugin_groups(plugins):
        known |= {variable_of(flag_prefix(name) + key) for key in fields_of(own)}
    given = {name for name, value in sources.environment.items() if name.startswith(ENVIRONMENT_PREFIX) and value}
    strays = [_with_likely(name, known) for name in sorted(given - known) if not _OF_KUBERNETES.search(name)]
    if strays:
        logger.warning("Variables that mean nothing here: %s.", ", ".join(strays))


_OF_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_\d+_")
"""In names of variables that tell where a service called flashtts is."""


def _with_likely(name: str, known: Iterable[str]) -> str:
    likely = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f"{name} (is it {likely[0]}?)" if likely else name


def _plugin_tables(file: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    try:
        return msgspec.convert(file.get("plugin", {}), dict[str, dict[str, Any]])
    except msgspec.ValidationError as error:
        raise ConfigError("The settings of a plugin stand in a table of the settings file: [plugin.NAME].") from error


def _specs(plugins: Plugins) -> list[EngineSpec | BackendSpec]:
    specs: list[EngineSpec | BackendSpec] = [entry.spec for entry in plugins.engines]
    return specs + [entry.spec for entry in plugins.backends]


def _plugin_groups(plugins: Plugins) -> Iterable[tuple[str, type[Struct]]]:
    for spec in _specs(plugins):
        if spec.own is not None:
            yield spec.name, spec.own


def _default(group: type[Struct], name: str) -> object:
    return fields_of(group)[name].default


def _option(name: str, field: FieldInfo) -> click.Option:
    knob = knob_of(field.type)
    declarations = [f"--{name}", *([SHORT_FLAGS[name]] if name in SHORT_FLAGS else [])]
    if knob.kinds == (bool,):
        default = "on" if field.default else "off"
        return click.Option([f"--{name}/--no_{name}", name], default=None, help=_help(knob.description, default))
    return click.Option(
        [*declarations, name],
        default=None,  # what is not typed may still come from the environment or the file
        metavar=knob.metavar,
        help=_help(knob.description, field.default),
    )


class Knob(Struct, frozen=True):
    """What the type of a field says: the kinds of value it takes, its choices and its meaning."""

    kinds: tuple[type, ...] = ()
    choices: tuple[str, ...] = ()
    description: str = ""

    @property
    def metavar(self) -> str:
        """What the help shows in place of the value."""
        names = {int: "INTEGER", float: "NUMBER"}
        return "|".join([*self.choices, *(names.get(kind, "TEXT") for kind in self.kinds)])


def knob_of(hint: Any) -> Knob:
    """Read a type as annotated: ``Annotated`` brings the meaning, ``Literal`` the choices, ``| None`` adds nothing."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner = knob_of(arguments[0])
        found = (meta.description for meta in arguments[1:] if isinstance(meta, Meta) and meta.description)
        return Knob(inner.kinds, inner.choices, next(found, inner.description))
    if origin is Literal:
        return Knob(choices=tuple(str(value) for value in arguments))
    if origin in {Union, UnionType}:
        parts = [knob_of(argument) for argument in arguments if argument is not type(None)]
        return Knob(
            tuple(kind for part in parts for kind in part.kinds),
            tuple(choice for part in parts for choice in part.choices),
            " ".join(part.description for part in parts if part.description),
        )
    return Knob((hint,))


def _help(description: str, default: object) -> str:
    return f"{description} [default: {default}]" if default not in {None, ""} else description
