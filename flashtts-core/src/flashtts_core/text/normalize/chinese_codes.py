"""Chinese rules for numbers that are names: telephones, codes, rooms, trains, versions, and names like GPT-4."""

from __future__ import annotations

import re
from typing import Final

from .addresses import AddressWords, address_rule
from .chinese_numerals import cardinal, digits, telephone
from .rewriting import CARD, Rule, rule

_MEASURE_AHEAD: Final = (
    r"(?! ?(?:[个人元块字页次件条名位只台本家平米公斤克吨年月天小分秒倍万亿千百多余%％]"
    r"|[回起场趟声遍瓶枚辆张份户行章节段粉]|[.,]?[0-9]))"
)
_NUMBER_CALLED: Final = r"(?:[0-9][0-9-]{2,}[0-9]|[0-9]{3,})"
_ADDRESS_WORDS: Final = AddressWords(
    marks={
        ".": "点", "@": "艾特", "/": "斜杠", "-": "杠", "_": "下划线", ":": "冒号", "?": "问号",
        "=": "等于", "&": "和", "#": "井号", "%": "百分号", "+": "加", "~": "波浪号",
    },
    digits=digits,
    gap="",
)  # fmt: skip


def _telephone(match: re.Match[str]) -> str:
    text = match[0]
    prefix = ""
    if text[0] == "+":
        prefix, text = "加", text[1:]
    groups = re.findall(r"[0-9]+", text)
    return prefix + "，".join(telephone(group) for group in groups)


def _printed(match: re.Match[str]) -> str:
    return digits(re.sub("[ -]", "，", match[0]))


def _dotted(match: re.Match[str]) -> str:
    address, _, port = match[0].partition(":")
    groups = address.split(".")
    spoken = "点".join(cardinal(g) if len(g) <= 2 and not g.startswith("0") else digits(g) for g in groups)
    return spoken + (f"冒号{digits(port)}" if port else "")


def _ranked(match: re.Match[str]) -> str:
    return f"第{cardinal(match[1])}" if len(match[1]) <= 3 else f"编号{digits(match[1])}"


def _beside_latin(number: str) -> str:
    """Read the number of a name: G20 and A4 count, B737 and MP007 are spelled."""
    whole, point, fraction = number.partition(".")
    spoken = cardinal(whole) if len(whole) <= 2 and (whole == "0" or whole[0] != "0") else digits(whole)
    return spoken + (f"点{digits(fraction)}" if point else "")


def _after_hyphen(match: re.Match[str]) -> str:
    return "".join(f" {_beside_latin(number)}" for number in re.split("[-–]", match[0][1:]))


def _model_number(match: re.Match[str]) -> str:
    number = match[1]
    if len(number) <= 2 or (number.endswith("00") and len(number) == 3):
        return cardinal(number)
    return digits(number)


CODE_RULES: Final[tuple[Rule, ...]] = (
    address_rule(_ADDRESS_WORDS),
    # Payment cards, in the groups they are printed in.
    rule(r"(?<![0-9.,-])" + CARD + r"(?:(?P=gap)[0-9]{1,3})?(?![0-9]|[ .,-][0-9])", _printed),
    # Telephones: mobile, landline, 400 and 800 numbers, short service numbers.
    rule(r"(?<![0-9.])(?:\+86[ -]?)?1[3-9][0-9]([ -]?)[0-9]{4}\1[0-9]{4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.+-])\+[1-9][0-9]{0,2} ?\([0-9]{1,4}\)(?:[ -]?[0-9]{2,5}){1,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])\+[1-9][0-9]{0,2}(?:[ -][0-9]{2,8}){1,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])[(（]0[0-9]{2,3}[)）] ?[2-9][0-9]{6,7}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])0[0-9]{2,3}[ -]?[2-9][0-9]{2,3}[ -]?[0-9]{4}(?:-[0-9]{1,5})?(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])[48]00([ -]?)[0-9]{3,4}\1[0-9]{3,4}(?![0-9])", _telephone),
    rule(
        rf"(?<![0-9.,-])(?:100(?:86|10)|123(?:06|45|15|48|20|33)|955[0-9]{{2}})(?!-[0-9]){_MEASURE_AHEAD}", _telephone
    ),
    rule(
        r"((?:电话|手机号?码?|热线|拨打?|致电|呼叫|分机号?|报警|急救|火警|匪警)(?:号码)?(?:是|为|："
        rf"|:)? ?)({_NUMBER_CALLED}(?:[、，,或和及/]{_NUMBER_CALLED}){{0,9}})" + _MEASURE_AHEAD,
        lambda m: m[1] + re.sub("-+", "，", telephone(m[2].strip("-"))),
    ),
    rule(r"(?<=打)(?:1[12][0-9]|[0-9]{5,})" + _MEASURE_AHEAD, _telephone),
    rule(r"(?<=[零幺二三四五六七八九]转)[0-9]{3,5}", _telephone),
    rule(r"(?<![0-9.,])1[12][0-9](?=(?:报警|急救|火警|指挥|救护|电话|热线|接警))", _telephone),
    # Codes named as such.
    rule(
        r"((?:密码|验证码|校验码|激活码|兑换码|取件码|邀请码|编号|学号|工号|账号|帐号|卡号|单号|尾号|序列号|代码"
        r"|邮编|邮政编码|号码|身份证号?码?|微信号?|QQ群?号?|(?<![A-Za-z])[Ii][Dd]|ISBN)(?:分别)?(?:是|为|："
        r"|:)? ?)(?=[A-Za-z]{0,6}[0-9])([A-Za-z0-9]{2,}(?:-[A-Za-z0-9]+)*)" + _MEASURE_AHEAD,
        lambda m: m[1] + digits(m[2]).replace("-", "，"),
    ),
    # A discount is a share of ten: 75折 and 7.5折 are 七五折.
    rule(r"(?<![0-9.,第])([1-9])\.?([1-9])(?= ?折(?!叠))", lambda m: digits(m[1] + m[2])),
    # Net slang that is said digit by digit.
    rule(r"(?<![0-9.,-])(?:666+|23{3,}|(?:520)?1314)(?![0-9.-])" + _MEASURE_AHEAD, lambda m: digits(m[0])),
    # Rooms, trains, flights, plates, bus lines, roads, schools known by number.
    rule(r"(?<![0-9.,])[0-9]{3,4}(?=(?:房间?|室|教室|会议室|诊室|病房|包间|包厢|宿舍)(?!友))", _telephone),
    rule(r"(?<=[0-9][楼层])[0-9]{3,4}(?=[，。；、 \n]|$)", _telephone),
    rule(
        r"((?:房间|单元|教室|房号|座位)号?[是为：:]? ?)([0-9]{3,4})(?![0-9个万千.,])", lambda m: m[1] + telephone(m[2])
    ),
    rule(r"(?<![A-Za-z0-9])([GCDZTKYLS])([0-9]{3,4})(?=次|列车|高铁|动车|火车)", lambda m: m[1] + telephone(m[2])),
    rule(
        r"(?<![A-Za-z0-9])([A-Z0-9]{2})([0-9]{3,4})(?=航班|次航班|号航班|客机)",
        lambda m: digits(m[1]) + telephone(m[2]),
    ),
    rule(
        r"(航班号?|车次|车牌号?|列车)([是为：:]? ?[\u4e00-\u9fff]?[A-Z0-9·]*[0-9]{3,5})(?![0-9.,])" + _MEASURE_AHEAD,
        lambda m: m[1] + telephone(m[2]),
    ),
    rule(r"(?<![0-9.,])[0-9]{3}(?=路(?:公交|车|电车)?|国道|省道|县道)", _telephone),
    rule(
        r"(?<![0-9.,])[0-9]{3}(?=中学|医院|客机|工程|工作制|晚会|大促|购物节|表白|礼包)",
        lambda m: digits(m[0]),
    ),
    rule(
        r"(?<=波音|空客|骁龙|麒麟|天玑|锐龙|酷睿|歼击|东风) ?[0-9]{3,5}(?:-[0-9]{2,4})?(?![0-9])",
        lambda m: digits(m[0]).replace("-", "杠"),
    ),
    rule(
        r"(?<![0-9])(?:985|211)(?=[、/和]?(?:985|211)?(?:毕业|高校|大学|院校|名校|学校|硕士|本科|的?(?:学生|大学)))",
        lambda m: digits(m[0]),
    ),
    rule(r"(?<![0-9-])7-11(?=便利店|店)", "七十一"),
    rule(r"\bN[Oo]\. ?([0-9]+)(?![0-9.])", _ranked),
    rule(r"(?<![0-9.,])([0-9]+)(?:st|nd|rd|th)\b", lambda m: "第" + cardinal(m[1])),
    # Versions, network addresses, long identifiers.
    rule(r"(?<![0-9.])[0-9]{1,5}(?:\.[0-9]{1,5}){2,}(?::[0-9]{1,5})?(?![0-9])(?!\.[0-9])", _dotted),
    rule(r"(?<![0-9.,-])[0-9]{2,}(?:-[0-9]+){2,}(?![0-9])(?!-[0-9])", lambda m: digits(m[0]).replace("-", "，")),
    rule(r"(?<![0-9.,-])[0-9](?:-[0-9]){2,3}(?=阵型|阵)", lambda m: digits(m[0]).replace("-", "")),
    rule(r"(?<![0-9.,-])[0-9](?:-[0-9]+){2,}(?![0-9])(?!-[0-9])", lambda m: digits(m[0]).replace("-", "杠")),
    rule(r"(?<=[图表式例题])([0-9]+)-([0-9]+)(?![0-9-])", lambda m: f"{cardinal(m[1])}杠{cardinal(m[2])}"),
    rule(r"(?<![0-9.,])[0-9]{17}[0-9Xx](?![0-9])", lambda m: digits(m[0])),
    rule(r"(?<![0-9.,])(?![0-9]+0000)[0-9]{9,}" + _MEASURE_AHEAD, lambda m: digits(m[0])),
)

LATIN_RULES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\b[A-Z])\.([0-9]{3})(?![0-9.])", lambda m: f" {digits(m[1])}"),
    rule(r"(?<=[A-Za-z])(?:[-–][0-9]+(?:\.[0-9]+)?)+(?![0-9])", _after_hyphen),
    rule(r"(?<=[A-Za-z_])([0-9]+(?:\.[0-9]+)?)(?![0-9])", lambda m: _beside_latin(m[1])),
    rule(r"(?<![0-9.,])([0-9]+(?:\.[0-9]+)?)(?=[A-Za-z])", lambda m: _beside_latin(m[1])),
    rule(r"(?<=[A-Za-z]\s)([0-9]{1,4})(?![0-9:%]|[.,-][0-9])" + _MEASURE_AHEAD, _model_number),
)
