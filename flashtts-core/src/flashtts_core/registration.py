"""Says what is wrong with what a hook of a plugin returned, before every command stumbles over it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from msgspec import Struct

from flashtts_core.backends import BackendSpec
from flashtts_core.engines import EngineSpec
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Settings, fields_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")  # it begins flags, variables and keys
_LISTS = ("aliases", "files", "requires", "knobs", "sampling")


def flag_prefix(name: str) -> str:
    """Return what the flags of a plugin's own settings begin with."""
    return name.replace("-", "_") + "_"


def check(hook: str, wanted: type, item: object) -> None:
    """Raise ``ConfigError`` unless a hook may return ``item``: one of ``wanted``, a spec, or a command."""
    if not isinstance(item, wanted):
        raise ConfigError(f"{hook} returned {item!r} in its list; it returns a list of {wanted.__name__}.")
    if isinstance(item, EngineSpec | BackendSpec):
        _check_spec(item)


def check_decorated(module: object, hooks: Iterable[str], implemented: Collection[str]) -> None:
    """Raise ``ConfigError`` if a plugin's module has a hook that is not marked as one, or none at all."""
    for hook in hooks:
        if hasattr(module, hook) and hook not in implemented:
            raise ConfigError(f"{hook} lacks its decorator: put @hookimpl of flashtts_core before it.")
    if not implemented:
        raise ConfigError(f"The module implements no hook; there are {', '.join(hooks)}.")


def _check_spec(spec: EngineSpec | BackendSpec) -> None:
    kind = type(spec).__name__
    if not _NAME.fullmatch(str(spec.name)):
        raise ConfigError(f"{kind}.name is {spec.name!r}; use a letter, then letters, digits, - and _.")
    for field in ("open", "detect"):
        if not callable(getattr(spec, field, check)):
            raise ConfigError(f"{kind}.{field} of {spec.name} is {getattr(spec, field)!r}; give a function.")
    for field in _LISTS:
        if isinstance(value := getattr(spec, field, ()), str):
            raise ConfigError(f"{kind}.{field} of {spec.name} is the text {value!r}; give several, as ({value!r},).")
    if spec.own is not None:
        _check_own(kind, spec.name, spec.own)


def _check_own(kind: str, name: str, own: object) -> None:
    if not isinstance(own, type) or not issubclass(own, Struct):
        raise ConfigError(f"{kind}.own of {name} is {own!r}; give a class that derives from msgspec.Struct.")
    try:
        own()
        fields = fields_of(own)
    except (TypeError, NameError) as error:  # a field without default, a type that is not there
        raise ConfigError(f"{kind}.own of {name} cannot be used: {error}. Every setting needs a default.") from error
    for field in fields:
        if (flag := flag_prefix(name) + field) in fields_of(Settings):
            raise ConfigError(f"The setting {field!r} of {name} would be the flag --{flag} of flashtts; rename it.")
