"""Normalise Chinese text for speech: dates, times, money, units, codes and counts become characters.

Own rules rather than an FST package: the one measured (docs/log.md) misreads prices, `GPT-4` and grouped
numbers and takes some fifteen times as long. Text without digits or the symbols of `_SYMBOL` returns unchanged.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from .chinese_codes import CODE_RULES, LATIN_RULES
from .chinese_numerals import AMOUNT, RANGE_MARK, amount, cardinal, digits, money
from .chinese_time import DATE_RULES, TIME_RULES
from .rewriting import HARD_SPACE_RULE, NUMBER, NUMBER_START, STAMP, Rule, one_of, plain, rewrite, rule, spell_stamp

_CURRENCIES: Final = {
    "￥": "元", "¥": "元", "RMB": "元", "CNY": "元", "US$": "美元", "USD": "美元", "$": "美元", "＄": "美元",
    "HK$": "港元", "HKD": "港元", "NT$": "新台币", "€": "欧元", "EUR": "欧元", "£": "英镑", "￡": "英镑",
    "GBP": "英镑", "₩": "韩元", "JPY": "日元", "₹": "卢比",
}  # fmt: skip
_UNITS: Final = {
    "kg": "公斤", "KG": "公斤", "Kg": "公斤", "㎏": "公斤", "g": "克", "mg": "毫克", "㎎": "毫克", "t": "吨",
    "km": "公里", "KM": "公里", "㎞": "公里", "m": "米", "cm": "厘米", "CM": "厘米", "㎝": "厘米", "mm": "毫米",
    "㎜": "毫米", "μm": "微米", "nm": "纳米", "km/h": "公里每小时", "m/s": "米每秒", "m²": "平方米", "m2": "平方米",
    "㎡": "平方米", "km²": "平方公里", "km2": "平方公里", "cm²": "平方厘米", "cm2": "平方厘米", "m³": "立方米",
    "m3": "立方米", "㎥": "立方米", "cm³": "立方厘米", "L": "升", "ml": "毫升", "mL": "毫升", "ML": "毫升",
    "℃": "摄氏度", "°C": "摄氏度", "℉": "华氏度", "°F": "华氏度", "°": "度", "V": "伏", "W": "瓦", "kW": "千瓦",
    "KW": "千瓦", "MW": "兆瓦", "kWh": "千瓦时", "mAh": "毫安时", "mA": "毫安", "Hz": "赫兹", "kHz": "千赫兹",
    "MHz": "兆赫兹", "GHz": "吉赫兹", "dB": "分贝", "kPa": "千帕", "MPa": "兆帕", "kcal": "千卡", "Mbps": "兆每秒",
    "Gbps": "吉比特每秒", "MB/s": "MB每秒", "h": "小时", "min": "分钟", "ms": "毫秒", "rpm": "转每分",
    "mmol/L": "毫摩尔每升", "mg/L": "毫克每升", "g/L": "克每升", "km/s": "公里每秒", "mmHg": "毫米汞柱",
}  # fmt: skip
_BYTES: Final = r"(?:[KMGTP]B|Kb|Mb|Gb)"
_MEASURES: Final = (
    "[个位名人天周米斤吨升倍回遍趟张件条只头匹辆台部家间座套双对杯瓶碗盘盒箱包袋颗粒"
    "朵棵株片块元角毛折成种类项份封首句段篇节门所支枝根把顶副"
    "幅面枚滴股岁刻晚夜场局轮球票集组批队户亩里尺克磅桶滩桌国省市县页行列秒万亿]"
    "|点(?![0-9])|分(?!之)|次(?![元方])|年(?!级)|本(?!院)|小时|公斤|公里|公分|公顷|千克|千米|厘米|毫米|毫升|平方"
    "|平米|立方|"
    "美元|美金|欧元|英镑|港元|港币|日元|韩元|卢比|新台币|英里|英寸|海里|加仑|大(?=[优原特问难核功要关部类主系重步])"
)
_SIGNED: Final = r"(?:(?<=[\s(（,，:：;；、。“\"'为是到至从达在于跌降约])|(?<=^))[-−－–](?=[0-9])"
_MINUS: Final = r"(?:(?<![0-9A-Za-z)）\]])[-−－–])?"
_SYMBOL: Final = re.compile(r"[0-9０-９℃℉㎡@½¼¾⅓⅔]|[a-z]\.[a-z]", re.ASCII)
_WIDE: Final = str.maketrans("０１２３４５６７８９％", "0123456789%")
_FRACTION_SIGNS: Final = {"½": "二分之一", "¼": "四分之一", "¾": "四分之三", "⅓": "三分之一", "⅔": "三分之二"}
_OPERATORS: Final = {"+": "加", "＋": "加", "×": "乘", "*": "乘", "÷": "除以"}


def _negative(sign: str, unit: str) -> str:
    return "" if not sign else "零下" if unit in ("摄氏度", "度") else "负"


def _price(match: re.Match[str]) -> str:
    sign, currency, number = match[1], _CURRENCIES[match[2].upper() if match[2].isalpha() else match[2]], match[3]
    head = "人民币" if match[2].upper() in ("RMB", "CNY") else ""
    if match[4] or match[5]:
        number = _chinese_scale(number, (match[4] or match[5])[0].lower())
    return ("负" if sign else "") + head + amount(money(number), counting=True) + currency


def _chinese_scale(number: str, letter: str) -> str:
    """Turn $12.3B into 123亿: English counts by thousands, Chinese by ten thousands."""
    if not re.fullmatch(NUMBER, number):
        return number
    value = Decimal(plain(number)).scaleb({"k": 3, "m": 6, "b": 9, "t": 12}[letter])
    for size, name in ((8, "亿"), (4, "万")):
        if value >= 10**size:
            return f"{value.scaleb(-size).normalize():f}{name}"
    return f"{value:f}"


def _price_after(match: re.Match[str]) -> str:
    tail = "人民币" if match[2] in ("RMB", "CNY") else ""
    return amount(money(match[1]), counting=True) + _CURRENCIES[match[2]] + tail


def _measured(match: re.Match[str]) -> str:
    unit = _UNITS[match[3]]
    # 二摄氏度 but 两公斤: a scale is named, things are counted.
    return _negative(match[1], unit) + amount(match[2], counting=unit not in ("摄氏度", "华氏度", "度")) + unit


def _percent(match: re.Match[str]) -> str:
    sign = {"": "", "+": "正"}.get(match[1], "负")
    name = "千分之" if match[4] == "‰" else "百分之"
    last = f"到{name}{_percentage(match[3])}" if match[3] else ""
    return f"{sign}{name}{_percentage(match[2])}{last}"


def _neighbours(match: re.Match[str]) -> str:
    """2、3天 is 两三天; numbers that are not neighbours keep the pause between them."""
    first, last = match[1], match[2]
    pause = "" if int(last) == int(first) + 1 else "、"
    return amount(first, counting=True) + pause + digits(last)


def _percentage(number: str) -> str:
    return "百" if number == "100" else amount(number)


def _fraction(match: re.Match[str]) -> str:
    whole, over, under = match[1], match[2], match[3]
    if int(over) >= int(under) and not whole:
        return f"{amount(over)}，{amount(under)}"  # 120/80: two readings, not a part of something
    return (f"{amount(whole)}又" if whole else "") + f"{cardinal(under)}分之{cardinal(over)}"


_RULES: Final[tuple[Rule, ...]] = (
    HARD_SPACE_RULE,
    rule(r"(?<=[0-9])．(?=[0-9])", "."),
    rule(STAMP, lambda m: spell_stamp(m, " ", "点", digits, ("加", "减"))),
    *DATE_RULES,
    *CODE_RULES,
    *TIME_RULES,
    # Money. 元 after the number is dropped where a sign has said it.
    rule(
        rf"({_MINUS})({one_of([c for c in _CURRENCIES if not c.isalpha()])}|\b(?:RMB|CNY|USD|HKD|EUR|GBP"
        rf"|JPY)(?= ?[0-9])) ?({AMOUNT})(?:([KMB])(?![A-Za-z0-9])| ?(million|billion|trillion)\b)?(?: ?(?:元|块钱?"
        rf"|美元|美金|欧元|英镑|港元|日元|韩元|卢比))?",
        _price,
    ),
    rule(rf"({AMOUNT}) ?(RMB|CNY|USD|HKD|EUR|GBP|JPY|€|￥|¥)(?![A-Za-z0-9])", _price_after),
    rule(
        rf"({_MINUS}|(?<![0-9A-Za-z])\+){NUMBER_START}({NUMBER})[%％‰]?(?:{RANGE_MARK}({NUMBER}))? ?([%％‰])",
        _percent,
    ),
    rule(r"[½¼¾⅓⅔]", lambda m: _FRACTION_SIGNS[m[0]]),
    rule(r"(?<![0-9.,/])(?:([0-9]+)又)?([0-9]{1,4})[/／]([1-9][0-9]{0,3})(?![0-9/.]| ?[A-Za-z])", _fraction),
    rule(r"(?<=[0-9])/(?=[0-9]{2,3} ?mmHg)", "，"),
    rule(r"(?<=满)([0-9]+)-(?=[0-9])", r"\1减"),
    # Arithmetic, only where a result or a second operand shows it.
    rule(r"(?<=[0-9]) ?[+＋×*÷](?= ?[0-9]) ?", lambda m: _OPERATORS[m[0].strip()]),
    rule(r"(?<=[0-9])\^([0-9]+)", r"的\1次方"),
    rule(r"(?<=[0-9])²", "的平方"),
    rule(r"(?<=[0-9])³", "的立方"),
    rule(r"√(?=[0-9])", "根号"),
    rule(r"(?<=[0-9米])[xX×](?=[0-9])|(?<=[A-Za-z升克米斤])×(?=[0-9])", "乘"),
    rule(
        rf"{NUMBER_START}([0-9][0-9,]*\.[0-9]{{2}})(?= ?(?:元|美元|港元|欧元|英镑|日元))(?!\.)", lambda m: money(m[1])
    ),
    rule(r"(?<=[歼轰运直])-(?=[0-9]{1,3}(?![0-9]))", ""),
    rule(r"(?<=[次下转拍])[/／](?=[分秒天日周月年])", "每"),
    rule(r"(?<![0-9A-Za-z.])([0-9.]+)[xX](?=速|加速|播放|变焦|光学)", r"\1倍"),
    rule(r"(?<![0-9A-Za-z+])[+＋](?=[0-9])", "加"),
    rule(r"(?<=[0-9]) ?[-−] ?(?=[0-9]+ ?[=＝])", "减"),
    rule(r" ?[=＝] ?(?=[-−]?[0-9])", "等于"),
    rule(r"[≈] ?(?=[0-9])", "约等于"),
    rule(r"(?:≥|>=) ?(?=[0-9])", "大于等于"),
    rule(r"(?:≤|<=) ?(?=[0-9])", "小于等于"),
    rule(r"[>＞] ?(?=[0-9])", "大于"),
    rule(r"[<＜] ?(?=[0-9])", "小于"),
    rule(r"± ?(?=[0-9])", "正负"),
    rule(r"(?<=[0-9])\+(?![0-9A-Za-z+])", "加"),
    # Units.
    rule(rf"(?<![A-Za-z])({_MINUS})({AMOUNT}) ?({one_of(_UNITS)})(?![A-Za-z0-9²³])", _measured),
    rule(rf"(?<![A-Za-z])({AMOUNT}) ?({_BYTES})(?![A-Za-z0-9])", lambda m: amount(m[1]) + m[2]),
    rule(r"(?<=[0-9])°([0-9]{1,2})[′']", lambda m: f"度{cardinal(m[1])}分"),
    rule(r"(?<![A-Za-z0-9.])(?<![A-Za-z]\s)([0-9.]+)s(?![A-Za-z0-9])", r"\1秒"),
    rule(r"℃", "摄氏度"),
    rule(r"℉", "华氏度"),
    rule(r"㎡", "平方米"),
    *LATIN_RULES,
    rule(r"(?<=[元块角分零一二三四五六七八九十百千万亿])[/／]([人户个件])[/／](?=[月年天日次])", r"每\1每"),
    rule(r"(?<=[元块角分零一二三四五六七八九十百千万亿])[/／](?=[月年天日人个斤吨平克次件公小张晚位])", "每"),
    # Counts.
    rule(r"(?<=[0-9]米)([0-9]{2})(?![0-9])", lambda m: digits(m[1])),
    rule(rf"(?<![0-9.,、第])([1-9])、([1-9])(?=(?:{_MEASURES}))", _neighbours),
    rule(r"(?<=[\u4e00-\u9fff])[-−](?=[0-9][0-9.,]*[万亿元])", "负"),
    rule(r"第([0-9]{1,9})([、和及])([0-9]{1,9})(?![0-9.,])", lambda m: f"第{cardinal(m[1])}{m[2]}{cardinal(m[3])}"),
    rule(rf"第 ?({AMOUNT})", lambda m: "第" + amount(m[1])),
    rule(rf"{_SIGNED}({AMOUNT})(?= ?度)", lambda m: "零下" + amount(m[1])),
    rule(rf"{_SIGNED}({AMOUNT})", lambda m: "负" + amount(m[1])),
    rule(rf"({AMOUNT})(?= ?(?:{_MEASURES}))", lambda m: amount(m[1], counting=True)),
    rule(rf"({AMOUNT})", lambda m: amount(m[1])),
    rule(r"[0-9]+", lambda m: amount(m[0])),
)


def normalize(text: str) -> str:
    """Return `text` with written forms spelled out in Chinese characters; tags and plain words stay as they are."""
    if _SYMBOL.search(text) is None:
        return text
    return rewrite(text.translate(_WIDE), _RULES)
