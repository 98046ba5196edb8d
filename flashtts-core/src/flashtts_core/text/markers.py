"""Takes the control markers of speech models out of a user's text, so that a text cannot steer the model that reads it.

A control marker is ``<|name|>`` (Spark: ``<|end_content|>``, ``<|bicodec_semantic_1|>``, ``<|im_end|>``) or
``<custom_token_12>`` (Orpheus), where a name has no white space and no angle bracket. A marker is dropped with the
words in it, since nobody wants to hear "bicodec semantic one", and white space is left in its place. As no marker has
white space in it, what was left and right of one cannot join to another, so one pass is enough:
``<|a<custom_token_1>|>`` becomes ``<|a |>``.

Look-alikes go too: full-width brackets and bars, and markers with invisible characters in them, since a later step
(``tidy``, a normaliser) might make them real. Engine tags such as ``<laugh>`` stay.
"""

from __future__ import annotations

import re
import unicodedata

_BRACKETED = re.compile(r"[<＜﹤]([^\s<＜﹤>＞﹥]+)[>＞﹥]")
_INVISIBLE = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors; the rest is known by category
_CONTROL = re.compile(r"\|.+\||custom_token_\d+", re.DOTALL)


def neutralize(text: str) -> str:
    """Drop control markers, leaving white space in their place; a text without any is returned as it is."""
    return _BRACKETED.sub(_without_marker, text)


def _without_marker(match: re.Match[str]) -> str:
    name = unicodedata.normalize("NFKC", match[1])
    if not (_CONTROL.fullmatch(name) or _CONTROL.fullmatch(_visible(name))):
        return match[0]
    before = match.string[match.start() - 1] if match.start() else " "
    return "" if before.isspace() else " "


def _visible(name: str) -> str:
    """The name without the characters that have no glyph."""
    shown = _INVISIBLE.sub("", name)
    return "".join(character for character in shown if not unicodedata.category(character).startswith("C"))
