"""The one entry to normalisation: which languages there are, what is imported when, and the errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flashtts_core.errors import NotSupported
from flashtts_core.text.normalize import LANGUAGES, normalize


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_writes_out_a_number(language: str) -> None:
    spoken = normalize("<laugh> 7", language)
    assert spoken.startswith("<laugh> ")
    assert not any(character.isdigit() for character in spoken)


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotSupported, match="de, en, es, fr, hi, it, ko, zh") as caught:
        normalize("7", "tlh")
    assert isinstance(caught.value, ValueError)


def test_importing_the_package_compiles_no_rules() -> None:
    program = (
        "import sys, flashtts_core.text.normalize as package;"
        "print([name for name in sys.modules if name.startswith(package.__name__ + '.') or 'rbnf' in name])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
