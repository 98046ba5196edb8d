"""Chinese rules for dates, years, clock times, scores and ratios."""

from __future__ import annotations

import re
from typing import Final

from .chinese_numerals import RANGE_MARK, amount, cardinal, digits
from .rewriting import Rule, rule

_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR: Final = r"(?:1[0-9]{3}|20[0-9]{2}|21[0-9]{2})"
_CLOCK: Final = r"(?<![0-9.,])(?<![0-9][:：])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9:：])"
_MERIDIEM: Final = r"(?: ?([AaPp])\.?[Mm]\b\.?)"
_YEAR_NOUN: Final = (
    r"(?=年度|财年|财政|届|级(?!别)|款|赛季|版|秋季|春季|夏季|冬季|世界杯|奥运|亚运|欧洲杯|亚洲杯|全运|东京|北京冬"
    r"|巴黎|春晚|中考|高考|考研|国考|双十)"
)
_SCORE_VERB: Final = (
    r"(?= ?(?:大胜|战胜|击败|险胜|完胜|逆转|领先|落后|战平|逼平|横扫|力克|取胜|获胜|胜|负于|不敌|惜败))"
)
_NOT_RECENT: Final = r"(?!(?:19|20)(?!00)[0-9]{2}年)"  # 约3000年 lasts, 约2010年 is a date
_DURATION_AHEAD: Final = r"(?=年(?:的?历史|[之以]?[前后]|以?来|[间内里]|左右|多|时间|的时间|计划|期|不))"


def _date(year: str, month: str, day: str) -> str:
    return f"{digits(year)}年{cardinal(month)}月{cardinal(day)}日"


def _clock(hour: str, minute: str, second: str | None) -> str:
    spoken = ("两" if int(hour) == 2 else cardinal(hour)) + "点"
    if minute != "00" or second is not None:
        spoken += _two_digits(minute) + "分"
    return spoken + (f"{_two_digits(second)}秒" if second is not None else "")


def _two_digits(number: str) -> str:
    return digits(number) if number[0] == "0" and number != "00" else cardinal(number)


def _half_day(match: re.Match[str]) -> str:
    hour = int(match[1])
    if match[4] in "Aa":
        name = "凌晨" if hour < 5 or hour == 12 else "上午"
    else:
        name = "中午" if hour == 12 else "晚上" if 6 <= hour < 12 else "下午"
    return name + _clock(match[1], match[2] or "00", match[3] or None)


def _ratio(match: re.Match[str]) -> str:
    return "比".join(amount(part) for part in re.split(r" ?[:：-] ?", match[0]))


def _named_day(match: re.Match[str]) -> str:
    """Read a day that became a name: 9·11 is 九一一, 10·1 is 十一."""
    return (cardinal(match[1]) if match[1] in ("10", "11") else digits(match[1])) + digits(match[2])


DATE_RULES: Final[tuple[Rule, ...]] = (
    # Whole dates; the same separator twice, so that 2025-3/4 is something else.
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})([-/.])({_MONTH})\2({_DAY})(?![0-9]|[-/.][0-9])",
        lambda m: _date(m[1], m[3], m[4]),
    ),
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})[-/]({_MONTH})(?=月)", lambda m: f"{digits(m[1])}年{cardinal(m[2])}"
    ),
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})-(0[1-9])(?![0-9]|[-/.][0-9])",
        lambda m: f"{digits(m[1])}年{cardinal(m[2])}月",
    ),
    rule(r"(?<![0-9.·])(1[0-2]|[1-9])·([1-3]?[0-9])(?![0-9.·])", _named_day),
    rule(
        r"(?<![0-9.])(1[0-2]|[1-9])\.([1-3]?[0-9])(?= ?(?:事件|大?地震|晚会|事变|妇女节|劳动节|国庆|小?长假|假期"
        r"|大促|购物节|儿童节))",
        _named_day,
    ),
)

TIME_RULES: Final[tuple[Rule, ...]] = (
    # Years.
    rule(
        rf"(?<![0-9.,])({_YEAR}){RANGE_MARK}({_YEAR}|[0-9]{{2}})(?=年|学年|赛季|财年)",
        lambda m: f"{digits(m[1])}到{digits(m[2])}",
    ),
    rule(rf"(?<![0-9.,])({_YEAR})[/／]([0-9]{{2}})(?=学年|赛季|财年)", lambda m: f"{digits(m[1])}到{digits(m[2])}"),
    rule(r"(?<=公元前|西元前) ?([0-9]{2,4})(?=年)", lambda m: digits(m[1])),
    rule(r"(?<=[于在至])([1-9][0-9]{1,2}[1-9])(?=年)", lambda m: digits(m[1])),
    rule(r"(?<=公元|西元) ?([0-9]{3,4})(?=年)", lambda m: digits(m[1])),
    rule(rf"(?<=近|约){_NOT_RECENT}([0-9]+)(?=年)", lambda m: amount(m[1], counting=True)),
    rule(
        rf"(?<=长达|距今|过去|已有|大约|超过|不足|历时|整整){_NOT_RECENT}([0-9]+)(?=年)",
        lambda m: amount(m[1], counting=True),
    ),
    rule(r"(?<![0-9.,])([1-9][0-9]*0{2})" + _DURATION_AHEAD, lambda m: cardinal(m[1])),
    rule(rf"(?<![0-9.,])(?!1000)({_YEAR})(?= ?年)(?! ?年级) ?", lambda m: digits(m[1])),
    rule(rf"(?<![0-9.,])({_YEAR}){_YEAR_NOUN}", lambda m: digits(m[1])),
    rule(rf"(?<![0-9.,])([0-9]{{2}})(?=年{_MONTH}月)", lambda m: digits(m[1])),
    rule(
        r"(?<![0-9.,])(0[0-9]|[89][0-9])(?=年(?:[春夏秋冬出生毕款产]|的时候|世界杯|奥运|高考))", lambda m: digits(m[1])
    ),
    rule(r"(?<![0-9.,])([0-9]0|[0-9]5)(?=后(?![面来天续年]))", lambda m: digits(m[1])),
    # Months and days, also as ranges: 3月5日-8日, 6-8月.
    rule(r"(?<=[0-9][年月日号时点分秒天岁元块%％℃度周级层楼级]) ?[-–—~～]{1,2} ?(?=[0-9])", "到"),
    rule(
        rf"(?<![0-9.,])({_MONTH})月({_DAY}){RANGE_MARK}({_DAY})(?=[日号])",
        lambda m: f"{cardinal(m[1])}月{cardinal(m[2])}到{cardinal(m[3])}",
    ),
    rule(rf"(?<![0-9.,])({_MONTH})月({_DAY})(?=[日号]?)(?![0-9个])", lambda m: f"{cardinal(m[1])}月{cardinal(m[2])}"),
    rule(r"(?<![0-9.])([0-9]{1,2})['′]([0-5][0-9])[\"″”]", lambda m: f"{cardinal(m[1])}分{cardinal(m[2])}秒"),
    # Clock times.
    rule(_CLOCK + _MERIDIEM, _half_day),
    rule(r"(?<![0-9.,A-Za-z])(?<![0-9][:：])(1[0-2]|[1-9])()()" + _MERIDIEM, _half_day),
    rule(r"(?<=[0-9][:：][0-9]{2}) ?[-–—~～]{1,2} ?(?=[0-9]{1,2}[:：])", "到"),
    rule(
        r"(?<=比分)([是为]? ?)([0-9]{1,3} ?[-:：] ?[0-9]{1,3})(?![0-9])",
        lambda m: m[1] + "比".join(amount(n) for n in re.findall("[0-9]+", m[2])),
    ),
    rule(r"(?<![0-9])[0-9]{1,3}[-:：][0-9]{1,3}" + _SCORE_VERB, _ratio),
    rule(_CLOCK, lambda m: _clock(m[1], m[2], m[3])),
    rule(
        r"(?<![0-9.,])([01]?[0-9]|2[0-4])(点钟?)(0[1-9])(?=分)",
        lambda m: f"{amount(m[1], counting=True)}{m[2]}{digits(m[3])}",
    ),
    rule(r"(?<=点)(0[1-9])(?=分)", lambda m: digits(m[1])),
    rule(r"(?<![0-9])[0-9]+(?:\.[0-9]+)?(?: ?[:：] ?[0-9]+(?:\.[0-9]+)?)+(?![0-9])", _ratio),
)
