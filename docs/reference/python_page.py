"""The page of the Python API, from the public names of the package and their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import flashtts

MOST_ARGUMENTS = 11
"""Names of more are not spelled out: the settings have a page of their own."""


def python() -> str:
    """Return the page of public names."""
    parts = [
        "# Python: the names of `flashtts`",
        "",
        "How to use them: [Python](../python.md). `flashtts` re-exports `flashtts_core`; the docstrings say more "
        "(`help(flashtts.Speaker)`).",
        "",
        "| name | what it is |",
        "|---|---|",
    ]
    return "\n".join([*parts, *_rows()])


def _rows() -> Iterator[str]:
    for name in sorted(flashtts.__all__, key=str.lower):
        thing = getattr(flashtts, name)
        is_struct = hasattr(thing, "__struct_fields__")
        spelled = name
        if is_struct or inspect.isfunction(thing):
            arguments = thing.__struct_fields__ if is_struct else inspect.signature(thing).parameters
            spelled = f"{name}({', '.join(arguments) if len(arguments) <= MOST_ARGUMENTS else '...'})"
        meaning = (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")
        yield f"| `{spelled}` | {meaning} |"
        if inspect.isclass(thing) and not is_struct:
            yield from _methods(name, thing)


def _methods(owner: str, kind: type) -> Iterator[str]:
    for name, method in vars(kind).items():
        function = inspect.unwrap(getattr(method, "__func__", method))
        if name.startswith("_") or not inspect.isfunction(function) or getattr(kind, "_is_protocol", False):
            continue
        arguments = ", ".join(list(inspect.signature(function).parameters)[1:])
        meaning = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")
        yield f"| `{owner}.{name}({arguments})` | {meaning} |"
