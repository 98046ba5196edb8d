"""Hindi rules for numbers that are names: telephones, codes, versions, names like GPT-4; and abbreviations."""

from __future__ import annotations

import re
from typing import Final

from .addresses import AddressWords, address_rule
from .hindi_numerals import cardinal, digits, english, english_ordinal
from .rewriting import CARD, Rule, rule

_ADDRESS_WORDS: Final = AddressWords(
    marks={
        ".": "डॉट", "@": "ऐट", "/": "स्लैश", "-": "हाइफ़न", "_": "अंडरस्कोर", ":": "कोलन", "?": "प्रश्नचिह्न",
        "=": "बराबर", "&": "एंड", "#": "हैश", "%": "प्रतिशत", "+": "प्लस", "~": "टिल्ड",
    },
    digits=digits,
    gap=" ",
)  # fmt: skip
_ABBREVIATIONS: Final = {
    "डॉ": "डॉक्टर", "डा": "डॉक्टर", "प्रो": "प्रोफ़ेसर", "पं": "पंडित", "स्व": "स्वर्गीय", "कु": "कुमारी", "इंजी": "इंजीनियर",
    "दि": "दिनांक", "पृ": "पृष्ठ", "पृ.सं": "पृष्ठ संख्या", "पृ. सं": "पृष्ठ संख्या", "क्र.सं": "क्रम संख्या", "क्र": "क्रमांक",
    "प्रा.लि": "प्राइवेट लिमिटेड", "प्रा. लि": "प्राइवेट लिमिटेड", "लि": "लिमिटेड", "ई.पू": "ईसा पूर्व", "वि.सं": "विक्रम संवत",
    "उ.प्र": "उत्तर प्रदेश", "म.प्र": "मध्य प्रदेश", "कि.मी": "किलोमीटर", "कि.ग्रा": "किलोग्राम", "से.मी": "सेंटीमीटर",
    "मि.मी": "मिलीमीटर", "रु": "रुपये", "मो": "मोबाइल",
    "नं": "नंबर", "सं": "संख्या",
}  # fmt: skip
_COUNTED_AHEAD: Final = (
    r"(?! ?(?:[%°₹]|रुप|रु\.|लोग|किलो|किमी|मीटर|दिन|बार|साल|घंट|मिनट|बजे|तारीख|लाइन|पेज|से कम|से अधिक|से ज़्यादा|लाख|करोड़"
    r"|हज़ार|हजार|प्रतिशत|[.,]?[0-9]))"
)


def abbreviation_rule() -> Rule:
    """Return the rule that spells out titles and other shortened words; the dot is what marks them."""
    names = "|".join(re.escape(name) for name in sorted(_ABBREVIATIONS, key=len, reverse=True))
    # A Devanagari letter before it makes it the end of another word: भर्ती लि. is fine, बालि. is not.
    return rule(rf"(?<![\u0900-\u0963\u0972-\u097f.])({names})\.(?![\u0900-\u0963]\.)( ?)", _abbreviation)


def _abbreviation(match: re.Match[str]) -> str:
    followed = match.end() < len(match.string) and match.string[match.end()] not in ".,;:!?)\"'’”।\n\t "
    return _ABBREVIATIONS[match[1]] + (" " if match[2] or followed else "")


def _telephone(match: re.Match[str]) -> str:
    prefix = "प्लस " if match[0][0] == "+" else ""
    return prefix + ", ".join(digits(group) for group in re.findall(r"(?<=\+)91(?=[0-9]{10})|[0-9]+", match[0]))


def _code(match: re.Match[str]) -> str:
    letters_and_digits = re.findall(r"[0-9]+|[^0-9\s-]+", match[2])
    return match[1] + " ".join(digits(piece) if piece.isdigit() else piece for piece in letters_and_digits)


def _dotted(match: re.Match[str]) -> str:
    groups = match[0].split(".")
    short = len(groups) == 3  # a version counts, a network address is spelled
    return " दशमलव ".join(cardinal(g) if short and len(g) <= 2 and g[:1] != "0" else digits(g) for g in groups)


def _latin_version(match: re.Match[str]) -> str:
    return " " + " पॉइंट ".join(english(group) for group in match[1].split("."))


def _network(match: re.Match[str]) -> str:
    return " डॉट ".join(digits(group) for group in match[0].split("."))


CODE_RULES: Final[tuple[Rule, ...]] = (
    address_rule(_ADDRESS_WORDS),
    rule(r"\b[Nn]o\. ?([0-9]{1,2})(?![0-9.])", lambda m: f"नंबर {english(m[1])}"),
    rule(r"(?<![0-9.,])([0-9]{1,4})(?:st|nd|rd|th)\b", lambda m: english_ordinal(m[1])),
    rule(r"(?<![0-9])24 ?[×xX/] ?7(?![0-9])", "ट्वेंटी फ़ोर सेवन"),
    # Telephones: mobile, landline, toll-free, emergency.
    rule(r"(?<![0-9.+-])\+[1-9][0-9]{0,2} ?\([0-9]{1,4}\)(?:[ -]?[0-9]{2,5}){1,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.+-])\+[1-9][0-9]{0,2}(?:[ -]?[0-9]{2,10}){1,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])0?[6-9][0-9]{4}[ -]?[0-9]{5}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])\(?0[0-9]{2,4}[)-][ -]?[2-9][0-9]{5,7}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])18[06]0[ -][0-9]{2,3}[ -][0-9]{3,4}(?![0-9])", _telephone),
    rule(
        r"(?<![0-9.,])(?:10[0-9]{1,2}|11[0-9]|139|18[01])(?=\s(?:पर|नंबर पर)\s(?:कॉल|फ़ोन|फोन|डायल|संपर्क|सूचना|सूचित))"
        r"|(?<=डायल\s)1[0-9]{2,3}(?![0-9])",
        lambda m: digits(m[0]),
    ),
    # Payment cards, and the three groups of an Aadhaar number.
    rule(
        r"(?<![0-9.,-])(?:"
        + CARD
        + r"|(?!(?:19|20)[0-9]{2} (?:19|20))[0-9]{4} [0-9]{4} [0-9]{4})(?![0-9]|[ .,-][0-9])",
        _telephone,
    ),
    # Codes named as such.
    rule(
        r"((?:ओटीपी|OTP|पासवर्ड|पिन कोड|पिनकोड|पिन|PIN|कोड|खाता संख्या|खाता नंबर|आधार संख्या|आधार नंबर|पंजीकरण संख्या"
        r"|रोल नंबर|ट्रेन नंबर|गाड़ी संख्या|गाड़ी नंबर|ट्रेन संख्या|फ़्लाइट नंबर|मोबाइल नंबर|फ़ोन नंबर|नंबर|ID|आईडी)(?:\s(?:है"
        r"|हैं))?(?: ?:)? ?)"
        r"([A-Z]{0,3}[0-9]{3,}(?:[ -][0-9]{3,})*)" + _COUNTED_AHEAD,
        _code,
    ),
    rule(r"(?<=[A-Za-z]) ?([0-9]{1,2}(?:\.[0-9]{1,4}){2,})(?![0-9])", _latin_version),
    # Network addresses, versions, long identifiers.
    rule(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])(?!\.[0-9])", _network),
    rule(r"(?<![0-9.])[0-9]{1,5}(?:\.[0-9]{1,5}){2,}(?![0-9])(?!\.[0-9])", _dotted),
    rule(r"(?<![0-9.,-])[0-9]{2,}(?:-[0-9]+){2,}(?![0-9])(?!-[0-9])", _telephone),
    rule(r"(?<![0-9.,])(?![0-9]+00000)[0-9]{9,}" + _COUNTED_AHEAD, lambda m: digits(m[0])),
)

LATIN_RULES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\b[A-Z])\.([0-9]{3})(?![0-9.])", lambda m: f" {english(m[1])}"),
    rule(r"(?<=[A-Za-z])[-–]([0-9]+(?:\.[0-9]+)?)(?![0-9])( ?)", lambda m: f" {english(m[1])}{_gap(m)}"),
    rule(r"(?<=[A-Za-z])([0-9]+(?:\.[0-9]+)?)(?![0-9])( ?)", lambda m: f" {english(m[1])}{_gap(m)}"),
    rule(r"(?<![0-9.,])([0-9]+(?:\.[0-9]+)?)-?(?=[A-Za-z])", lambda m: english(m[1]) + " "),
    rule(
        r"(?<=[A-Za-z] )(?!19[0-9]{2}|20[0-9]{2})([0-9]{1,4}(?:\.[0-9]{1,2})?)(?![0-9:%/]|[.,-][0-9])" + _COUNTED_AHEAD,
        lambda m: english(m[1]),
    ),
)


def _gap(match: re.Match[str]) -> str:
    """Keep the space after a number, and add one where Latin letters follow it directly."""
    following = match.string[match.end() : match.end() + 1]
    return match[2] or (" " if following.isascii() and following.isalpha() else "")
