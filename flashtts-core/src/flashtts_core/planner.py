"""Plans what is spoken: turns of a dialogue, text made ready, pieces within the window, pace shared with the engine."""

from __future__ import annotations

from msgspec import Struct

from flashtts_core.engines import Abilities, Engine
from flashtts_core.errors import NotSupported, RequestError
from flashtts_core.text.alphabet import speakable, tidy, unreadable_scripts
from flashtts_core.text.markdown import unmarked
from flashtts_core.text.markers import neutralize
from flashtts_core.text.normalize import normalize
from flashtts_core.text.script import parse_script
from flashtts_core.text.segment import sentences
from flashtts_core.text.split import split
from flashtts_core.types import Level, SpeechRequest, SplitLimits, Style, VoiceChoice

SPEED_FACTORS: dict[Level, float] = {
    "very_low": 0.7,
    "low": 0.85,
    "moderate": 1.0,
    "high": 1.2,
    "very_high": 1.45,
}
"""What the five labels mean to an engine that has no levels of its own."""


class Turn(Struct, frozen=True):
    """What one voice says in one style."""

    text: str
    voice: VoiceChoice
    style: Style


class Divided(Struct, frozen=True):
    """A text in pieces, each short enough for one line, and the scripts in it that the voice cannot read."""

    pieces: tuple[str, ...]
    language: str
    skipped: frozenset[str]


def turns_of(request: SpeechRequest) -> list[Turn]:
    """Return the turns of a request: one, or those of its script, whose own pitch and speed win over the request's."""
    if not request.script:
        return [Turn(request.text, request.voice, request.style)]
    return [
        Turn(
            turn.text,
            turn.role,
            Style(pitch=turn.pitch or request.style.pitch, speed=turn.speed or request.style.speed),
        )
        for turn in parse_script(request.text)
    ]


def divide(text: str, engine: Engine, limits: SplitLimits) -> Divided:
    """Make a text ready for the engine and cut it into pieces; raises ``RequestError`` if it says nothing."""
    scripts = engine.abilities.scripts
    text = neutralize(unmarked(tidy(neutralize(text))))  # again, for what is taken out may have kept a marker apart
    if not speakable(text, scripts):
        raise RequestError(_unspeakable(text, engine), param="text")
    language = engine.language(text)
    skipped = unreadable_scripts(text, scripts)
    if engine.rules.normalize:
        text = neutralize(normalize(text, language))
    pieces = split(text, language=language, count_tokens=engine.count_tokens, limits=limits, merge=engine.rules.merge)
    if engine.rules.lead and len(pieces) > 1:
        pieces[:1] = _led(pieces[0], language)
    return Divided(tuple(piece for piece in pieces if speakable(piece, scripts)), language, skipped)


def pace(style: Style, abilities: Abilities) -> tuple[Style, float]:
    """Return the style the engine is asked for and the factor by which its sound is then stretched in time.

    Raises ``NotSupported`` for a pitch that the engine cannot make.
    """
    if abilities.labels:
        if isinstance(style.speed, float | int):
            return Style(pitch=style.pitch), style.speed
        return style, 1.0
    if style.pitch not in {None, "moderate"}:
        raise NotSupported(
            f"This engine has one pitch: leave pitch out or send moderate instead of {style.pitch}.",
            param="pitch",
        )
    factor = style.speed if isinstance(style.speed, float | int) else SPEED_FACTORS[style.speed or "moderate"]
    slowest, fastest = abilities.speed_range
    own = min(max(factor, slowest), fastest)
    return Style(speed=own), factor / own


def _led(piece: str, language: str) -> list[str]:
    """Return the first sentence of a piece and the rest of it, if there is any."""
    end = len(sentences(piece, language)[0])
    return [part for part in (piece[:end].strip(), piece[end:].strip()) if part]


def _unspeakable(text: str, engine: Engine) -> str:
    languages = ", ".join(engine.abilities.languages)
    if not text.strip():
        return "The text is empty, or nothing in it can be spoken (emoji and control characters are not). Give words."
    return f"Nothing in this text can be spoken by this voice, which reads: {languages}. Give words of such a language."
