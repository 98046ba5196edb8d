"""Hindi number words: cardinals by lakh and crore, years, ordinals, digit strings, and English numbers."""

from __future__ import annotations

from typing import Final

from .rewriting import NUMBER, NUMBER_START, plain

_NAMES: Final = """
    शून्य एक दो तीन चार पाँच छह सात आठ नौ
    दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस
    बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस
    तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस
    चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास
    पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ
    साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर
    सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उन्यासी
    अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी
    नब्बे इक्यानवे बानवे तिरानवे चौरानवे पंचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे
"""
_WORDS: Final = tuple(_NAMES.split())
_SCALES: Final = ((10**11, "खरब"), (10**9, "अरब"), (10**7, "करोड़"), (10**5, "लाख"), (10**3, "हज़ार"), (100, "सौ"))
_LONGEST: Final = 13  # digits, 99 खरब; beyond that a reader spells them out
_ORDINALS: Final = {1: "पहल", 2: "दूसर", 3: "तीसर", 4: "चौथ", 6: "छठ"}
_ENGLISH_NAMES: Final = """
    ज़ीरो वन टू थ्री फ़ोर फ़ाइव सिक्स सेवन एट नाइन
    टेन इलेवन ट्वेल्व थर्टीन फ़ोर्टीन फ़िफ़्टीन सिक्सटीन सेवनटीन एटीन नाइनटीन
"""
_ENGLISH_ONES: Final = tuple(_ENGLISH_NAMES.split())
_ENGLISH_TENS: Final = ("", "", "ट्वेंटी", "थर्टी", "फ़ोर्टी", "फ़िफ़्टी", "सिक्सटी", "सेवंटी", "एटी", "नाइंटी")
_ENGLISH_ORDINALS: Final = (
    "फ़र्स्ट", "सेकंड", "थर्ड", "फ़ोर्थ", "फ़िफ़्थ", "सिक्स्थ", "सेवंथ", "एट्थ", "नाइंथ", "टेंथ", "इलेवंथ", "ट्वेल्फ़्थ",
)  # fmt: skip
_ORDINAL_NUMBERS: Final = frozenset(str(number) for number in range(1, 13))

RANGE_MARK: Final = r" ?[-–—~] ?"
AMOUNT: Final = rf"{NUMBER_START}{NUMBER}(?![0-9])(?![.,][0-9])"
LARGE: Final = r"(?:लाख|करोड़|कर\u094b\u095c|अरब|खरब|हज़ार|ह\u095bार|हजार|मिलियन|बिलियन|ट्रिलियन|million|billion|trillion)"


def digits(text: str) -> str:
    """Read the digits one by one, separated by spaces; everything else is dropped."""
    return " ".join(_WORDS[int(digit)] for digit in text if digit in "0123456789")


def cardinal(number: str) -> str:
    """Read a string of ASCII digits as a count; 100 alone is सौ, 100000 is एक लाख."""
    number = number.lstrip("0") or "0"
    if len(number) > _LONGEST:
        return digits(number)
    if number == "100":
        return "सौ"
    value, words = int(number), []
    if value == 0:
        return _WORDS[0]
    for size, name in _SCALES:
        count, value = divmod(value, size)
        if count:
            words += [_WORDS[count], name]
    return " ".join([*words, _WORDS[value]] if value else words)


def year(number: str) -> str:
    """Read a four-digit year; 1947 is उन्नीस सौ सैंतालीस, 2025 is दो हज़ार पच्चीस."""
    century, rest = divmod(int(number), 100)
    if not 11 <= century <= 19:
        return cardinal(number)
    return f"{_WORDS[century]} सौ" + (f" {_WORDS[rest]}" if rest else "")


def quantity(number: str) -> str:
    """Read one written number: grouping commas, decimals; leading zeros make it a code."""
    whole, point, fraction = plain(number).partition(".")
    if len(whole) > 1 and whole[0] == "0" and not point:
        return digits(whole)
    return cardinal(whole) + (f" दशमलव {digits(fraction)}" if point else "")


def span(first: str, last: str | None) -> str:
    """Read a number or a span: 3-5 is तीन से पाँच, the neighbours 2-3 are दो-तीन, 50-50 is पचास पचास."""
    if last is None:
        return quantity(first)
    between = " से " if float(plain(first)) < float(plain(last)) else " "
    if len(first) == len(last) == 1 and int(last) == int(first) + 1:
        between = "-"
    return quantity(first) + between + quantity(last)


def halves(number: str) -> str:
    """Read a number before लाख or घंटे: 1.5 is डेढ़, 2.5 is ढाई, 3.5 साढ़े तीन, 3.25 सवा तीन, 3.75 पौने चार."""
    whole, _, fraction = plain(number).partition(".")
    if plain(number) == "0.5":
        return "आधा"
    if fraction not in ("5", "25", "75") or not 0 < len(whole.lstrip("0")) <= _LONGEST:
        return quantity(number)
    if fraction == "5":
        return {"1": "डेढ़", "2": "ढाई"}.get(whole) or f"साढ़े {cardinal(whole)}"
    if fraction == "25":
        return "सवा" if whole == "1" else f"सवा {cardinal(whole)}"
    return f"पौने {cardinal(str(int(whole) + 1))}"


def ordinal(number: str, ending: str) -> str:
    """Read a count with its written ordinal ending: 5 and वीं is पाँचवीं, 1 and ला is पहला, 6 and वें is छठे."""
    stem = _ORDINALS.get(int(number)) if len(number) == 1 else None
    if stem is None:
        return cardinal(number) + ending
    vowel = "ी" if "ी" in ending else "े" if "े" in ending else "ा"
    return stem + vowel


def english(number: str) -> str:
    """Read a number in English, as Hindi speakers do after a Latin name; three digits and more one by one."""
    whole, point, fraction = number.partition(".")
    if len(whole) > 2 or (len(whole) > 1 and whole[0] == "0"):
        spoken = english_digits(whole)
    elif int(whole) < 20:
        spoken = _ENGLISH_ONES[int(whole)]
    else:
        tens, ones = divmod(int(whole), 10)
        spoken = _ENGLISH_TENS[tens] + (f" {_ENGLISH_ONES[ones]}" if ones else "")
    return spoken + (f" पॉइंट {english_digits(fraction)}" if point else "")


def english_ordinal(number: str) -> str:
    """Read 1st, 2nd, 10th as Hindi speakers say them; beyond twelve with the Hindi ending."""
    return _ENGLISH_ORDINALS[int(number) - 1] if number in _ORDINAL_NUMBERS else f"{cardinal(number)}वाँ"


def english_digits(text: str) -> str:
    """Read the digits one by one in English."""
    return " ".join(_ENGLISH_ONES[int(digit)] for digit in text)
