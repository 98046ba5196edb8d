"""Says in words what a field of a request or a setting may hold."""

from __future__ import annotations

import msgspec
import msgspec.inspect as mi
from msgspec import Struct


def misfit(value: Struct) -> tuple[str, str] | None:
    """Return the name of a field that does not fit its type, and what it must be; ``None`` if all do.

    Structs that Python code builds are not checked as those that are read.
    """
    try:
        msgspec.convert(msgspec.to_builtins(value), type(value))
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`").partition(".")[0].partition("[")[0]
        field = next(field for field in msgspec.structs.fields(value) if field.name == name)
        return name, expected(mi.type_info(field.type))
    return None


def expected(kind: mi.Type) -> str:
    """Return the words for values of a kind, as they stand after "it must be"."""
    match kind:
        case mi.Metadata():
            examples = (kind.extra_json_schema or {}).get("examples", ())
            words = ", such as ".join(filter(None, [expected(kind.type), ", ".join(map(str, examples))]))
        case mi.UnionType():
            words = ", or ".join(expected(part) for part in kind.types if not isinstance(part, mi.NoneType))
        case mi.LiteralType():
            words = "one of " + ", ".join(str(value) for value in kind.values)
        case mi.IntType() | mi.FloatType():
            words = _number("a whole number" if isinstance(kind, mi.IntType) else "a number", kind)
        case mi.BoolType():
            words = "true or false"
        case mi.StrType():
            words = "text" if kind.max_length is None else f"text of at most {kind.max_length} characters"
        case mi.StructType():
            words = f"an object with {', '.join(field.name for field in kind.fields)}"
        case _:
            words = "a file upload"
    return words


def _number(noun: str, kind: mi.IntType | mi.FloatType) -> str:
    limits = [
        f"{word} {bound:g}" if isinstance(kind, mi.FloatType) else f"{word} {bound}"
        for word, bound in (("from", kind.ge), ("above", kind.gt), ("to", kind.le), ("below", kind.lt))
        if bound is not None
    ]
    return " ".join([noun, *limits])
