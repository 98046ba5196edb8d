"""Reads shell scripts as far as the documentation uses them: commands, words, pipes and comments."""

from __future__ import annotations

import re
import shlex

_SEPARATORS = ";|&\n()"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def commands_of(script: str) -> list[list[str]]:
    """Return the commands of a script as lists of words, without redirections and assignments."""
    script = re.sub(r"\\\n\s*", " ", script)
    script = re.sub(r"<<'?(\w+)'?\n.*?^\1$", "", script, flags=re.MULTILINE | re.DOTALL)
    script = re.sub(r"(^|\s)#\s[^\n]*", r"\1", script)
    lexer = shlex.shlex(script, posix=True, punctuation_chars=_SEPARATORS + "<>")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found: list[list[str]] = [[]]
    is_target = False  # of a redirection
    for word in lexer:
        signs = set(word)
        if signs and signs <= {*_SEPARATORS, "<", ">"}:
            is_target = bool(signs & {"<", ">"})
            if not is_target:
                found.append([])
        elif is_target:
            is_target = False
        else:
            found[-1].append(word)
    return [words for each in found if (words := _without_assignments(each))]


def _without_assignments(words: list[str]) -> list[str]:
    while words and _ASSIGNMENT.fullmatch(words[0]):
        words = words[1:]
    return words
