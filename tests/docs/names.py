"""Holds names in the documentation against their definitions: commands, flags, variables, routes, extras, modules."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache

import click
from msgspec import Struct

from docs.pages import ROOT, Block, reference
from docs.shell import commands_of
from flashtts_core.backends import BackendSpec
from flashtts_core.cli.main import build
from flashtts_core.engines import EngineSpec
from flashtts_core.errors import ConfigError
from flashtts_core.flags import dashes_are_underscores, model_settings
from flashtts_core.plugins import Plugins
from flashtts_core.settings import ENVIRONMENT_PREFIX, Settings, Sources, fields_of
from flashtts_core.types import Diffusion, Sampling, SplitLimits, Style
from flashtts_server.settings import ServerSettings

FOREIGN = frozenset({".", "curl", "docker", "echo", "head", "hf", "nox", "pip", "printf", "python", "trtllm-build"})
"""Programs of others that the documentation may call."""
OTHER_VARIABLES = {"FLASHTTS_CONFIG", "FLASHTTS_TESTS_NO_SKIPS"}
SETTINGS: tuple[type[Struct], ...] = (Settings, ServerSettings)
REQUEST: tuple[type[Struct], ...] = (Style, Sampling, Diffusion, SplitLimits)


@cache
def plugins() -> Plugins:
    """Return the plugins of this repository, and those that show how to write one."""
    found = reference("workspace").plugins(examples=True)
    assert isinstance(found, Plugins)
    return found


@cache
def command_line() -> click.Group:
    """Return the command line with everything in this repository; its files need not exist."""
    group = build(plugins())
    for command in leaves(group).values():
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                parameter.type = click.STRING
    return group


def leaves(group: click.Group, above: str = "") -> dict[str, click.Command]:
    """Return the commands that do something, by their words."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= leaves(command, f"{above}{name} ")
        else:
            found[above + name] = command
    return found


@cache
def flags() -> frozenset[str]:
    """Return all flags there are."""
    known = {
        name
        for command in leaves(command_line()).values()
        for option in command.params
        for name in option.opts + option.secondary_opts
    }
    return frozenset(known | {"--help", "--version"})


@cache
def variables() -> frozenset[str]:
    """Return all environment variables that mean something."""
    names = [(ENVIRONMENT_PREFIX + name).upper() for group in SETTINGS for name in fields_of(group)]
    for spec in specs():
        prefix = f"{ENVIRONMENT_PREFIX}{spec.name.replace('-', '_')}_"
        names += [(prefix + name).upper() for name in (fields_of(spec.own) if spec.own else ())]
    return frozenset(names) | OTHER_VARIABLES


@cache
def routes() -> frozenset[str]:
    """Return the paths of all routes."""
    return frozenset(getattr(route, "path_format", route.path) for route in reference("http_page").routes())


def is_route(path: str) -> bool:
    """Say whether a path leads to a route; its parameters may be filled in."""
    path = path.partition("?")[0].rstrip("/") or "/"
    patterns = (re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)) for route in routes())
    return path.startswith("/static/") or any(re.fullmatch(pattern, path) for pattern in patterns)


def specs() -> list[EngineSpec | BackendSpec]:
    """Return all engines and backends of this repository."""
    engines: list[EngineSpec | BackendSpec] = [entry.spec for entry in plugins().engines]
    return engines + [entry.spec for entry in plugins().backends]


def faults_of_script(block: Block) -> list[str]:
    """Return what is wrong with the commands of a shell block."""
    faults = []
    for words in commands_of(block.text):
        if words[0] == "flashtts":
            faults += _faults_of_flashtts(words[1:])
        elif words[0] not in FOREIGN:
            faults.append(f"{words[0]}: nobody checks this program")
        faults += [f"no route {path}" for path in _paths(words) if not is_route(path)]
        if words[:2] == ["pip", "install"]:
            faults += [f"there is no folder {word}" for word in words[2:] if not _is_installable(word)]
    return faults


def _faults_of_flashtts(words: list[str]) -> list[str]:
    context = click.Context(command_line(), info_name="flashtts", token_normalize_func=dashes_are_underscores)
    command: click.Command = command_line()
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    if not words and isinstance(command, click.Group):
        return []
    if isinstance(command, click.Group) and not words[0].startswith("-"):
        return [f"there is no command {words[0]}"]
    if words[0:] in (["--help"], ["--version"]):
        return []
    try:
        given = command.make_context(command.name, list(words), parent=context).params
        sources = Sources(flags={name: value for name, value in given.items() if value is not None})
        for group in (*SETTINGS, *REQUEST):
            sources.build(group)
        model_settings(plugins(), sources, ServerSettings)
    except (click.ClickException, ConfigError) as error:
        return [str(error) or repr(error)]
    return []


def _paths(words: list[str]) -> list[str]:
    urls = re.findall(r"https?://localhost:8000(/[^\s'\"?#]*)?", " ".join(words)) if words[0] == "curl" else []
    return [path or "/" for path in urls]


def _is_installable(word: str) -> bool:
    return not word.startswith("./") or (ROOT / word.partition("[")[0] / "pyproject.toml").is_file()


def faults_of_extras(text: str) -> list[str]:
    """Return the extras in a text that no distribution of this repository has."""
    known = reference("workspace").extras()
    return [
        f"{name} has no extra {extra}"
        for name, listed in re.findall(r"\b(flashtts[a-z-]*)\[([a-z-]+(?:,[a-z-]+)*)\]", text)
        for extra in listed.split(",")
        if extra not in known.get(name, ())
    ]


def exists(dotted: str) -> bool:
    """Say whether a dotted name is a module or something in one."""
    module, _, rest = dotted, "", ""
    while True:
        try:
            found: object = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, dot, last = module.rpartition(".")
            rest = f"{last}.{rest}".rstrip(".")
            if not dot:
                return False
    for name in filter(None, rest.split(".")):
        fields = getattr(found, "__struct_fields__", ())
        if not hasattr(found, name) and name not in fields:
            return False
        found = getattr(found, name, None)
    return True


@cache
def sentences() -> tuple[str, ...]:
    """Return every text in the sources, with one sign where a value is filled in."""
    found = []
    for path in sorted(ROOT.glob("*/src/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_part(value) for value in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def _part(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else "\0"


def is_said(quote: str) -> bool:
    """Say whether a sentence, with an ellipsis where values are filled in, stands in the sources.

    The words between two ellipses must come from one text, in their order.
    """
    parts = [re.escape(part.strip()) for part in quote.split("…") if part.strip()]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return bool(parts) and any(pattern.search(sentence) for sentence in sentences())


@cache
def file_names() -> frozenset[str]:
    """Return the parts of every path and file name that stand in the sources or in the golden checkpoints."""
    words = {part for sentence in sentences() for part in re.split(r"[\s/]", sentence)}
    golden = {part for path in (ROOT / "tests" / "golden").rglob("*") for part in path.parts}
    return frozenset(words | golden)


def is_quoted(block: Block) -> bool:
    """Say whether a block is part of a file that has tests of its own, or a test itself."""
    return "class Test" in block.text or any(block.text.strip() in source for source in examples())


@cache
def examples() -> tuple[str, ...]:
    """Return the texts of the files in ``examples``, which have tests of their own."""
    paths = sorted((ROOT / "examples").rglob("*"))
    return tuple(path.read_text(encoding="utf-8") for path in paths if path.suffix in {".py", ".toml"})
