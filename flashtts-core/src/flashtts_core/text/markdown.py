"""Takes out the marks of Markdown that voices read aloud: of headings, quotations and what is struck through.

Language models write it, and "hashtag heading" or "greater than" is not what they mean. Marks that no voice reads, as
of lists, bold type and code, stay: an engine may take its pauses from them.
"""

from __future__ import annotations

import re

_QUOTATION = re.compile(r"^ ?(?:> ?+)++(?![\d=$€£¥.])", re.MULTILINE)  # "> 5" may be a comparison
_HEADING = re.compile(r"^ ?#{1,6} +(.*?)(?: #+)? ?$", re.MULTILINE)
_RULE = re.compile(r"^ ?(?:={2,}|~{3,}) ?(?:\n|\Z)", re.MULTILINE)  # under a heading, around code
_STRUCK = re.compile(r"~~(?=\S)([^~\n]+)(?<=\S)~~")


def unmarked(text: str) -> str:
    """Return a tidy text without those marks; one without any is returned as it is."""
    text = _HEADING.sub(r"\1", _QUOTATION.sub("", text))
    return _STRUCK.sub(r"\1", _RULE.sub("", text)).strip()
