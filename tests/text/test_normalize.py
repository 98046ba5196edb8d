"""The one entry to normalisation: which languages there are, what is imported when, and the errors."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flashtts_core.errors import NotSupported
from flashtts_core.text.normalize import LANGUAGES, normalize

SIGNS = "- -- − – — ‐ + ± ~ / : . , x × ½ ( ) ' ° % & # ="
AMOUNTS = "0 1 2 3 5 10 31 99 800 1999 2024 1.5 1,5 1,234 1.234,5 007 4111 12345678 10:30 2024-01-01T10:00:00Z 5. 3rd"
UNITS = "€ $ £ ¥ ₹ ₩ °C % km h min kg Mai mai Uhr st M k x pm 元 折 개월 만원 रु. लाख"
PIECES = st.sampled_from([*SIGNS.split(), *AMOUNTS.split(), *UNITS.split(), " ", " ", " amet "])


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None, max_examples=300)  # the first use of a language compiles its rules
@given(pieces=st.lists(PIECES, max_size=14))
def test_signs_dashes_and_units_in_any_order_neither_break_it_nor_lose_a_word(language: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    spoken = normalize(text, language)
    assert spoken.count("amet") == text.count("amet")
    assert not set(spoken) & set("0123456789")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "form", ["{}", "{}-12 casas", "-{}--{}", "${}M", "{}x", "{}st", "{}. Klasse", "{}½", "{}/3/24", ".{}%"]
)
@pytest.mark.parametrize("number", ["9" * 5000, "1" + ",111" * 1500, "1" + ".111" * 1500])
def test_numbers_longer_than_int_accepts_are_spelled(language: str, form: str, number: str) -> None:
    assert isinstance(normalize(form.format(number, number), language), str)


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
