"""Normalise Hindi text for speech: Indian grouping, rupees and paise, clock times, units, abbreviations.

Own rules rather than a package: the ones measured (docs/log.md) do not know Indian grouping, spell Latin names
letter by letter and take longer than the event loop allows. Devanagari digits count as ASCII digits; a number that
belongs to a Latin name is read in English (iPhone 15), as Hindi speakers do. Text without digits, the symbols of
`_SYMBOL` or a shortened word returns unchanged.
"""

from __future__ import annotations

import re
from typing import Final

from .hindi_codes import CODE_RULES, LATIN_RULES, abbreviation_rule
from .hindi_numerals import AMOUNT, LARGE, RANGE_MARK, cardinal, digits, halves, ordinal, quantity, span
from .hindi_time import DATE_RULES, TIME_RULES
from .rewriting import HARD_SPACE_RULE, NUMBER, STAMP, Rule, one_of, plain, rewrite, rule, spell_stamp

_CURRENCIES: Final = {
    "₹": "रुपये", "INR": "रुपये", "Rs.": "रुपये", "Rs": "रुपये", "रु.": "रुपये", "रु": "रुपये", "US$": "डॉलर", "USD": "डॉलर",
    "$": "डॉलर", "€": "यूरो", "EUR": "यूरो", "£": "पाउंड", "GBP": "पाउंड", "¥": "येन",
}  # fmt: skip
_COINS: Final = {"रुपये": "पैसे", "डॉलर": "सेंट", "यूरो": "सेंट", "पाउंड": "पेंस"}
_LATIN_SCALES: Final = {"million": "मिलियन", "billion": "बिलियन", "trillion": "ट्रिलियन"}
_SHORT_SCALES: Final = {
    "K": "हज़ार", "M": "मिलियन", "B": "बिलियन", "T": "ट्रिलियन", "L": "लाख", "Cr": "करोड़",
}  # fmt: skip
_UNITS: Final = {
    "kg": "किलोग्राम", "Kg": "किलोग्राम", "KG": "किलोग्राम", "किग्रा": "किलोग्राम", "कि.ग्रा.": "किलोग्राम",
    "कि. ग्रा.": "किलोग्राम", "g": "ग्राम", "gm": "ग्राम", "mg": "मिलीग्राम", "km": "किलोमीटर", "KM": "किलोमीटर",
    "किमी": "किलोमीटर", "कि.मी.": "किलोमीटर", "कि. मी.": "किलोमीटर", "m": "मीटर", "cm": "सेंटीमीटर", "सेमी": "सेंटीमीटर",
    "से.मी.": "सेंटीमीटर", "सें.मी.": "सेंटीमीटर", "मी.": "मीटर", "मि.": "मिनट", "मि.ली.": "मिलीलीटर",
    "मि.ग्रा.": "मिलीग्राम", "Km": "किलोमीटर", "kgs": "किलोग्राम", "min": "मिनट", "sec": "सेकंड", "MBPS": "एमबीपीएस",
    "mm": "मिलीमीटर", "मिमी": "मिलीमीटर", "मि.मी.": "मिलीमीटर", "ft": "फ़ीट", "km/h": "किलोमीटर प्रति घंटा",
    "kmph": "किलोमीटर प्रति घंटा", "किमी/घंटा": "किलोमीटर प्रति घंटा", "किमी/घंटे": "किलोमीटर प्रति घंटे",
    "m/s": "मीटर प्रति सेकंड", "m²": "वर्ग मीटर", "m2": "वर्ग मीटर", "㎡": "वर्ग मीटर", "km²": "वर्ग किलोमीटर",
    "km2": "वर्ग किलोमीटर", "m³": "घन मीटर", "sq ft": "वर्ग फ़ीट", "sq. ft.": "वर्ग फ़ीट", "L": "लीटर", "l": "लीटर",
    "ml": "मिलीलीटर", "mL": "मिलीलीटर", "°C": "डिग्री सेल्सियस", "℃": "डिग्री सेल्सियस", "°F": "डिग्री फ़ारेनहाइट",
    "°": "डिग्री", "KB": "केबी", "MB": "एमबी", "GB": "जीबी", "TB": "टीबी", "Mbps": "एमबीपीएस", "Gbps": "जीबीपीएस",
    "Hz": "हर्ट्ज़", "MHz": "मेगाहर्ट्ज़", "GHz": "गीगाहर्ट्ज़", "W": "वॉट", "kW": "किलोवॉट", "MW": "मेगावॉट",
    "kWh": "किलोवॉट घंटा", "V": "वोल्ट", "mAh": "एमएएच", "dB": "डेसिबल", "%": "प्रतिशत", "‰": "प्रति हज़ार",
}  # fmt: skip
_RATE: Final = r"दिन|घंटा|घंटे|माह|महीना|सेकंड|साल|वर्ष|व्यक्ति"
_ORDINAL_ENDING: Final = r"-?(वाँ|वां|वीं|वें|(?:व|ल|र|थ|ठ)[\u093e\u0940\u0947](?![\u0900-\u0963\u0966-\u097f]))"
_SYMBOL: Final = re.compile(r"[0-9०-९℃@½¼¾]|[a-z]\.[a-z]|[\u0900-\u0963]\.", re.ASCII)
_DIGITS: Final = str.maketrans("०१२३४५६७८९", "0123456789")
_MINUS: Final = r"(?<![0-9A-Za-z)\]\u0900-\u097f])[-−–]"
_FRACTION_SIGNS: Final = {"½": "आधा", "¼": "एक चौथाई", "¾": "तीन चौथाई"}
_DECIMALS: Final = {"½": ".5", "¼": ".25", "¾": ".75", "1/2": ".5", "1/4": ".25", "3/4": ".75"}
_OPERATORS: Final = {"+": "जमा", "×": "गुणा", "*": "गुणा", "÷": "भाग", "x": "बाई", "X": "बाई"}
# A danda (\u0964) is in the range of the letters, but ends a word like any mark.
_ENDING: Final = r"(?![\u0900-\u0963\u0966-\u097fA-Za-z0-9²³])"
_WORD_END: Final = r"(?![\u0900-\u0963\u0966-\u097f])"
_HALVED: Final = "घंटे|घंटा|घंटों|किलो|लीटर|साल|महीने|गुना|गुनी"
_SIGN_BEFORE: Final = r"US\$|[₹$€£¥]|\b(?:INR|USD|EUR|GBP|Rs\.?)(?= ?[0-9])|(?<![\u0900-\u097f])रु\.?(?= ?[0-9])"
_SUM: Final = rf"({AMOUNT})(?:{RANGE_MARK}({NUMBER}))?(?: ?({LARGE}(?: {LARGE})?){_WORD_END})?"


def _money(match: re.Match[str]) -> str:
    sign, currency = "माइनस " if match[1] else "", _CURRENCIES[match[2]]
    return sign + _price(match[3], match[4], match[5], currency)


def _money_after(match: re.Match[str]) -> str:
    return _price(match[1], match[2], match[3], _CURRENCIES[match[4]])


def _price(first: str, last: str | None, scale: str | None, currency: str) -> str:
    if scale:
        scale = _LATIN_SCALES.get(scale, scale)
        return f"{halves(first)}{f' से {halves(last)}' if last else ''} {scale} {currency}"
    whole, _, hundredths = plain(first).partition(".")
    if last is None and currency in _COINS and len(hundredths) in (0, 2):
        coins = f"{cardinal(hundredths)} {_COINS[currency]}" if hundredths.strip("0") else ""
        if coins and not whole.strip("0"):
            return coins
        unit = "रुपया" if currency == "रुपये" and whole == "1" else currency
        return f"{cardinal(whole)} {unit} {coins}".rstrip()
    return f"{span(first, last)} {currency}"


def _unit(match: re.Match[str]) -> str:
    sign = {"": "", "+": "प्लस "}.get(match[1], "माइनस ")
    return f"{sign}{span(match[2], match[3])} {_UNITS[match[4]]}" + (f" प्रति {match[5]}" if match[5] else "")


def _halves_span(match: re.Match[str]) -> str:
    first, last = match[1], match[2]
    if last is None:
        return halves(first)
    return span(first, last) if first.isdigit() and last.isdigit() else f"{halves(first)} से {halves(last)}"


def _fraction(match: re.Match[str]) -> str:
    over, under = match[1], match[2]
    return f"{cardinal(over)} बटा {cardinal(under)}"


_RULES: Final[tuple[Rule, ...]] = (
    # कि०मी०: a Devanagari zero after a letter is the old sign of abbreviation.
    rule(r"(?<=[\u0900-\u0963])०(?![0-9०-९])", "."),
    rule(r"[०-९]+", lambda m: m[0].translate(_DIGITS)),
    HARD_SPACE_RULE,
    rule(STAMP, lambda m: spell_stamp(m, " ", " दशमलव ", digits, ("प्लस", "माइनस"))),
    *DATE_RULES,
    *CODE_RULES,
    *TIME_RULES,
    rule(
        rf"(?<![0-9.,])((?:{_SIGN_BEFORE}) ?{NUMBER}) ?(Cr|[KMBTL])(?![A-Za-z0-9])",
        lambda m: f"{m[1]} {_SHORT_SCALES[m[2]]}",
    ),
    # Money; the currency after the number is dropped where a sign has said it, and so is the ledger's /-.
    rule(rf"({_MINUS})?({_SIGN_BEFORE}) ?{_SUM}(?:/-)?(?: ?(?:रुपये|रुपए|रुपया|डॉलर|यूरो|पाउंड){_WORD_END})?", _money),
    rule(rf"{_SUM} ?(₹|€|INR|Rs\.?|रु\.?){_ENDING}", _money_after),
    rule(r"([0-9])/-(?![0-9])", r"\1"),
    rule(r"(?:(?<=रुपये)|(?<=[0-9] बार)) ?/ ?(?=[0-9\u0904-\u0939])", " प्रति "),
    # Fractions, arithmetic.
    rule(r"(?<![0-9.,])([0-9]{1,9}) ?([½¼¾])", lambda m: halves(m[1] + _DECIMALS[m[2]])),
    rule(r"(?<![0-9.,/])([0-9]{1,9}) (1/2|1/4|3/4)(?![0-9/.]| ?[A-Za-z])", lambda m: halves(m[1] + _DECIMALS[m[2]])),
    rule(r"[½¼¾]", lambda m: _FRACTION_SIGNS[m[0]]),
    rule(r"(?<![0-9.,/])([0-9]{1,4})/([1-9][0-9]{0,3})(?![0-9/.]| ?[A-Za-z])", _fraction),
    rule(r"(?<![0-9A-Za-z.,])([0-9]+(?:\.[0-9]+)?)[xX×](?![0-9A-Za-z]| ?[0-9])", r"\1 गुना"),
    rule(r"(?<=[0-9]) ?[+×*÷xX] ?(?=[0-9])", lambda m: f" {_OPERATORS[m[0].strip()]} "),
    rule(r"(?<=[0-9]) ?[-−] ?(?=[0-9]+ ?=)", " घटा "),
    rule(r" ?= ?(?=[-−]?[0-9])", " बराबर "),
    rule(r" ?± ?(?=[0-9])", " प्लस माइनस "),
    # Units.
    rule(
        rf"(?<![A-Za-z])({_MINUS}|(?<![0-9])\+"
        rf"|)({AMOUNT})%?(?:{RANGE_MARK}({NUMBER}))? ?({one_of(_UNITS)})(?:/({_RATE}))?{_ENDING}",
        _unit,
    ),
    rule(rf"({AMOUNT})(?:{RANGE_MARK}({AMOUNT}))?(?= ?(?:{LARGE}|{_HALVED}){_WORD_END})", _halves_span),
    rule(r"℃", "डिग्री सेल्सियस"),
    # Ordinals.
    rule(rf"(?<![0-9.,])([0-9]{{1,6}}){_ORDINAL_ENDING}", lambda m: ordinal(m[1], m[2])),
    rule(r"(?<![0-9])([3-8])['′’] ?([0-9]|1[01])[\"″”]", lambda m: f"{cardinal(m[1])} फ़ुट {cardinal(m[2])} इंच"),
    rule(r"(?<=[0-9])\+(?![0-9A-Za-z])", " प्लस"),
    rule(r"(?<![0-9A-Za-z])\+(?=[0-9])", "प्लस "),
    rule(r"(?<=[0-9])\^([0-9]+)", r" की घात \1"),
    rule(r"(?<=[\u0900-\u097f])- ?([1-9][0-9]{5})(?![0-9,.])", lambda m: f" {digits(m[1])}"),
    rule(r"(?<=[\u0900-\u097f])-(?=[0-9])", " "),
    *LATIN_RULES,
    # Counts.
    rule(rf"({AMOUNT}){RANGE_MARK}({AMOUNT})", lambda m: span(m[1], m[2])),
    rule(rf"{_MINUS}(?={AMOUNT})", "माइनस "),
    rule(rf"({AMOUNT})(?=[\u0904-\u0939])", lambda m: f"{quantity(m[1])} "),
    rule(AMOUNT, lambda m: quantity(m[0])),
    rule(r"[0-9]+", lambda m: quantity(m[0])),
    abbreviation_rule(),
)


def normalize(text: str) -> str:
    """Return `text` with written forms spelled out in Devanagari; tags and plain words stay as they are."""
    if _SYMBOL.search(text) is None:
        return text
    return rewrite(text, _RULES)
