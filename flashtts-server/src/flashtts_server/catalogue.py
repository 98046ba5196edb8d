"""What names mean here: which model names are this model, and which voice an OpenAI voice name stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flashtts_core.errors import ConfigError, UnknownModel
from flashtts_server.settings import listed

MODEL_ALIASES = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
"""OpenAI's model names; clients that know only these work unchanged."""

OPENAI_VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
"""OpenAI's voice names; the n-th means the n-th built-in voice, going round."""


def parse_aliases(text: str) -> dict[str, str]:
    """Read ``alloy=NAME,echo=NAME``; raises ``ConfigError`` if it is not of that form."""
    aliases = {}
    for entry in listed(text):
        alias, equals, name = entry.partition("=")
        if not equals or not alias.strip() or not name.strip():
            raise ConfigError(f"--voice_aliases: {entry!r} is not of the form alloy=NAME.")
        aliases[alias.strip()] = name.strip()
    return aliases


def check_model(name: str, served: Sequence[str]) -> None:
    """Raise ``UnknownModel`` unless ``name`` is one of those that are served."""
    if name not in served:
        raise UnknownModel(f"There is no model {name!r} here. Served: {', '.join(served)}.", param="model")


def model_names(engine: str, model_name: str | None) -> list[str]:
    """Return the names that the model answers to, its own first."""
    return list(dict.fromkeys([model_name or engine, engine, *MODEL_ALIASES]))


def meant_voice(name: str, *, known: Sequence[str], builtin: Sequence[str], aliases: Mapping[str, str]) -> str:
    """Return the voice that ``name`` stands for: a voice of that name, else a configured alias, else OpenAI's."""
    if name in known:
        return name
    if name in aliases:
        return aliases[name]
    voices = builtin or known
    if name in OPENAI_VOICES and voices:
        return voices[OPENAI_VOICES.index(name) % len(voices)]
    return name
