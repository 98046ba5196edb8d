"""Names of metric units, composed from each language's prefixes and base units."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flashtts_core.text.normalize.european.grammar import Noun

# The prefixes each symbol is seen with in ordinary text; "B" is the byte and "o" its French name.
_USUAL = {
    "m": "k c m d µ μ n", "g": "k m µ μ", "l": "m c d h", "L": "m c d", "W": "k M G m", "Wh": "k M G T",
    "Hz": "k M G T",
    "V": "k m", "A": "m", "Ah": "m", "J": "k M", "cal": "k", "Pa": "k h M", "B": "k K M G T P", "o": "k K M G T P",
    "bit": "k K M G", "b": "M G", "t": "k M", "s": "m µ μ n", "eV": "k M G",
}  # fmt: skip


def metric_units(
    bases: Mapping[str, Noun],
    prefixes: Mapping[str, str],
    *,
    square: Callable[[str], str],
    cube: Callable[[str], str],
) -> dict[str, Noun]:
    """Name every usual symbol, and squares and cubes of lengths; ``prefixes`` is by symbol, "" for none."""
    units = {}
    for symbol, noun in bases.items():
        for prefix in ("", *_USUAL.get(symbol, "").split()):
            name = prefixes["k" if prefix == "K" else "µ" if prefix == "μ" else prefix]
            units[prefix + symbol] = Noun(_compose(name, noun.one), _compose(name, noun.many), noun.form)
    for prefix in ("", *_USUAL["m"].split()):
        length = units[f"{prefix}m"]
        for mark, power in (("²", square), ("2", square), ("³", cube), ("3", cube)):
            units[f"{prefix}m{mark}"] = Noun(power(length.one), power(length.many), length.form)
    return units


def _compose(prefix: str, name: str) -> str:
    """Join them; a German name (capital) loses its capital behind a prefix."""
    return prefix + name[0].lower() + name[1:] if prefix else name
