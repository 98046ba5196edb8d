"""Tables of the English grammar: units, money, abbreviations and names that Roman numerals follow."""

from __future__ import annotations

from flashtts_core.text.normalize.european.grammar import Currency, Noun
from flashtts_core.text.normalize.european.rules import word_set

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTH_NUMBERS = {month: index for index, month in enumerate(MONTHS, 1)}
MONTH_NUMBERS |= {month[:3]: index for index, month in enumerate(MONTHS, 1)} | {"Sept": 9}


def _unit(one: str, many: str = "") -> Noun:
    return Noun(one, many or one + "s")


_METERS = {"k": "kilo", "c": "centi", "m": "milli", "d": "deci", "n": "nano", "µ": "micro", "μ": "micro", "": ""}
DAYS = {"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"}
DAYS |= {"Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"}
UNITS = {f"{prefix}m": _unit(f"{name}meter") for prefix, name in _METERS.items()}
for _short, _power in (("²", "square "), ("2", "square "), ("³", "cubic "), ("3", "cubic ")):
    UNITS |= {f"{prefix}m{_short}": _unit(f"{_power}{name}meter") for prefix, name in _METERS.items()}
for _short, _name in (
    ("B", "byte"),
    ("b", "bit"),
    ("bit", "bit"),
    ("Hz", "hertz"),
    ("W", "watt"),
    ("Wh", "watt hour"),
    ("V", "volt"),
):
    for _prefix, _scale in (("k", "kilo"), ("K", "kilo"), ("M", "mega"), ("G", "giga"), ("T", "tera"), ("P", "peta")):
        UNITS[_prefix + _short] = _unit(_scale + _name, "" if _name != "hertz" else _scale + _name)
for _short in ("bps", "b/s", "bit/s", "B/s"):
    for _prefix, _scale in (("k", "kilo"), ("K", "kilo"), ("M", "mega"), ("G", "giga"), ("T", "tera")):
        _name = "byte" if _short[0] == "B" else "bit"
        UNITS[_prefix + _short] = Noun(f"{_scale}{_name} per second", f"{_scale}{_name}s per second")
UNITS |= {
    "kg": _unit("kilogram"), "g": _unit("gram"), "mg": _unit("milligram"), "µg": _unit("microgram"),
    "μg": _unit("microgram"), "t": _unit("ton"), "lb": _unit("pound"), "lbs": _unit("pound"), "lb.": _unit("pound"),
    "lbs.": _unit("pound"), "oz": _unit("ounce"), "oz.": _unit("ounce"), "l": _unit("liter"), "L": _unit("liter"),
    "ml": _unit("milliliter"), "mL": _unit("milliliter"), "cl": _unit("centiliter"), "dl": _unit("deciliter"),
    "hl": _unit("hectoliter"), "gal": _unit("gallon"), "gal.": _unit("gallon"), "tsp": _unit("teaspoon"),
    "tsp.": _unit("teaspoon"), "tbsp": _unit("tablespoon"), "tbsp.": _unit("tablespoon"),
    "Tbsp": _unit("tablespoon"), "Tbsp.": _unit("tablespoon"), "mi": _unit("mile"),
    "mi.": _unit("mile"), "ft": Noun("foot", "feet"), "ft.": Noun("foot", "feet"), "in.": Noun("inch", "inches"),
    "yd": _unit("yard"), "yds": _unit("yard"), "sq ft": Noun("square foot", "square feet"),
    "sq. ft.": Noun("square foot", "square feet"), "ft²": Noun("square foot", "square feet"),
    "sq mi": _unit("square mile"), "sq km": _unit("square kilometer"), "ha": _unit("hectare"),
    "mph": Noun("mile per hour", "miles per hour"), "km/h": Noun("kilometer per hour", "kilometers per hour"),
    "kph": Noun("kilometer per hour", "kilometers per hour"), "kmh": Noun("kilometer per hour", "kilometers per hour"),
    "m/s": Noun("meter per second", "meters per second"), "m/s²": Noun("meter per second squared",
    "meters per second squared"),
    "mpg": Noun("mile per gallon", "miles per gallon"), "rpm": Noun("RPM", "RPM"), "bpm": Noun("BPM", "BPM"),
    "fps": Noun("frame per second", "frames per second"), "°C": Noun("degree Celsius", "degrees Celsius"),
    "°F": Noun("degree Fahrenheit", "degrees Fahrenheit"), "° C": Noun("degree Celsius", "degrees Celsius"),
    "° F": Noun("degree Fahrenheit", "degrees Fahrenheit"), "ºC": Noun("degree Celsius", "degrees Celsius"),
    "℃": Noun("degree Celsius", "degrees Celsius"), "℉": Noun("degree Fahrenheit", "degrees Fahrenheit"),
    "°": _unit("degree"), "%": Noun("percent", "percent"), "‰": Noun("per mille", "per mille"),
    "h": _unit("hour"), "hr": _unit("hour"), "hrs": _unit("hour"), "hr.": _unit("hour"), "hrs.": _unit("hour"),
    "min": _unit("minute"), "mins": _unit("minute"), "min.": _unit("minute"), "s": _unit("second"),
    "sec": _unit("second"), "secs": _unit("second"), "sec.": _unit("second"), "ms": _unit("millisecond"),
    "µs": _unit("microsecond"), "μs": _unit("microsecond"), "ns": _unit("nanosecond"), "yr": _unit("year"),
    "yrs": _unit("year"), "Hz": Noun("hertz", "hertz"), "W": _unit("watt"), "mW": _unit("milliwatt"),
    "V": _unit("volt"), "mV": _unit("millivolt"), "mA": Noun("milliamp", "milliamps"), "mAh": Noun("milliamp hour",
    "milliamp hours"),
    "kJ": _unit("kilojoule"), "kcal": _unit("kilocalorie"), "cal": _unit("calorie"), "hp": Noun("horsepower",
    "horsepower"),
    "dB": _unit("decibel"), "psi": Noun("PSI", "PSI"), "kPa": _unit("kilopascal"), "hPa": _unit("hectopascal"),
    "px": _unit("pixel"), "MP": _unit("megapixel"), "dpi": Noun("DPI", "DPI"),
    "mmHg": Noun("millimeter of mercury", "millimeters of mercury"),
}  # fmt: skip

_CENT, _PENNY = Noun("cent", "cents"), Noun("penny", "pence")
_DOLLAR, _EURO, _POUND = _unit("dollar"), _unit("euro"), _unit("pound")
CURRENCIES = {
    "$": Currency(_DOLLAR, _CENT), "US$": Currency(_unit("US dollar"), _CENT), "USD": Currency(_unit("US dollar"),
    _CENT),
    "A$": Currency(_unit("Australian dollar"), _CENT), "AUD": Currency(_unit("Australian dollar"), _CENT),
    "C$": Currency(_unit("Canadian dollar"), _CENT), "CAD": Currency(_unit("Canadian dollar"), _CENT),
    "HK$": Currency(_unit("Hong Kong dollar"), _CENT), "€": Currency(_EURO, _CENT), "EUR": Currency(_EURO, _CENT),
    "£": Currency(_POUND, _PENNY), "GBP": Currency(_POUND, _PENNY), "¥": Currency(Noun("yen", "yen")),
    "JPY": Currency(Noun("yen", "yen")), "CNY": Currency(Noun("yuan", "yuan")), "RMB": Currency(Noun("yuan", "yuan")),
    "₹": Currency(_unit("rupee"), Noun("paisa", "paise")), "Rs": Currency(_unit("rupee")),
    "Rs.": Currency(_unit("rupee")), "INR": Currency(_unit("rupee"), Noun("paisa", "paise")),
    "₩": Currency(Noun("won", "won")), "KRW": Currency(Noun("won", "won")), "CHF": Currency(_unit("Swiss franc"),
    _CENT),
    "R$": Currency(Noun("real", "reais"), Noun("centavo", "centavos")), "₽": Currency(_unit("ruble")),
    "₿": Currency(_unit("bitcoin")), "BTC": Currency(_unit("bitcoin")), "¢": Currency(_CENT),
}  # fmt: skip

_THOUSAND, _MILLION, _BILLION, _TRILLION = (Noun(word, word) for word in ("thousand", "million", "billion", "trillion"))
SCALES = {
    "k": _THOUSAND, "K": _THOUSAND, "thousand": _THOUSAND, "m": _MILLION, "M": _MILLION, "mn": _MILLION, "mm": _MILLION,
    "million": _MILLION, "Million": _MILLION, "b": _BILLION, "B": _BILLION, "bn": _BILLION, "billion": _BILLION,
    "Billion": _BILLION, "t": _TRILLION, "T": _TRILLION, "tn": _TRILLION, "trillion": _TRILLION, "Trillion": _TRILLION,
}  # fmt: skip

TITLES = {
    "Dr.": "Doctor", "Dr": "Doctor", "Mr.": "Mister", "Mr": "Mister", "Mrs.": "Missus", "Mrs": "Missus", "Ms.": "Miz",
    "Ms": "Miz", "Prof.": "Professor", "Gen.": "General", "Sen.": "Senator", "Rep.": "Representative",
    "Gov.": "Governor", "Capt.": "Captain", "Sgt.": "Sergeant", "Lt.": "Lieutenant", "Col.": "Colonel",
    "Cpl.": "Corporal", "Maj.": "Major", "Cmdr.": "Commander", "Adm.": "Admiral", "Rev.": "Reverend",
    "Hon.": "Honorable", "Pres.": "President", "St.": "Saint", "St": "Saint", "Mt.": "Mount", "Mt": "Mount",
    "Ft.": "Fort", "Msgr.": "Monsignor", "Fr.": "Father", "Supt.": "Superintendent",
}  # fmt: skip
STREETS = {
    "St": "Street", "Ave": "Avenue", "Rd": "Road", "Blvd": "Boulevard", "Dr": "Drive", "Ln": "Lane", "Sq": "Square",
    "Pl": "Place", "Ct": "Court", "Hwy": "Highway", "Pkwy": "Parkway",
}  # fmt: skip
INSIDE = {
    "e.g.": "for example", "i.e.": "that is", "vs.": "versus", "vs": "versus", "approx.": "approximately",
    "cf.": "compare",
    "viz.": "namely", "esp.": "especially", "incl.": "including", "excl.": "excluding", "w/o": "without",
    "resp.": "respectively", "ca.": "circa", "a.k.a.": "also known as", "aka": "also known as",
}  # fmt: skip
CLOSING = {
    "etc.": "et cetera",
}  # fmt: skip
SUFFIXES = {
    "Inc.": "Incorporated", "Ltd.": "Limited", "Corp.": "Corporation", "Co.": "Company",
    "Bros.": "Brothers", "Jr.": "Junior", "Sr.": "Senior", "Dept.": "Department", "dept.": "department",
    "Univ.": "University",
    "Assn.": "Association", "Ave.": "Avenue", "Blvd.": "Boulevard", "Rd.": "Road", "Esq.": "Esquire",
    "Jan.": "January", "Feb.": "February", "Aug.": "August", "Sept.": "September", "Sep.": "September",
    "Oct.": "October", "Nov.": "November", "Dec.": "December", "Mon.": "Monday", "Tues.": "Tuesday", "Tue.": "Tuesday",
    "Wed.": "Wednesday", "Thurs.": "Thursday", "Thu.": "Thursday", "Fri.": "Friday",
}  # fmt: skip
NUMBERED = {
    "No.": "Number", "no.": "number", "Nos.": "Numbers", "nos.": "numbers", "max.": "maximum",
    "p.": "page", "pp.": "pages",
    "vol.": "volume", "ch.": "chapter", "chap.": "chapter", "fig.": "figure", "figs.": "figures",
    "art.": "article", "ext.": "extension", "apt.": "apartment", "est.": "established", "Jun.": "June", "Jul.": "July",
    "Mar.": "March", "Apr.": "April", "Rm.": "Room", "eq.": "equation", "tel.": "telephone", "#": "number",
}  # fmt: skip

PARTS = word_set(
    "Chapter Part Volume Vol. Book Act Scene Section Article Appendix Phase Type Class Level Grade Title Stage "
    "Figure Table "
    "Episode Unit Lesson Round Step Category Tier War Bowl Exhibit Psalm Symphony Apollo Rocky Mark Henry Canto "
    "Schedule "
)
MONARCHS = word_set(
    "Henry Louis Charles George Edward William Richard James Elizabeth Philip Napoleon Frederick Francis Pius John "
    "Paul "
    "Benedict Gregory Leo Alexander Nicholas Ivan Catherine Peter Otto Ferdinand Alfonso Felipe Carlos Christian "
    "Gustav "
    "Leopold Albert Urban Innocent Clement Boniface Ramses Ptolemy Darius Xerxes Cleopatra Victor Emmanuel Umberto "
    "Robert "
    "Mary Margaret Harald Olaf Baldwin Rudolf Joseph Maximilian Wilhelm Mehmed Murad Selim Constantine Theodosius"
)
STARTS = word_set(
    "The He She It They We I You This That These Those There His Her Its Their Our My Your But And Then When If In "
    "On At As After "
    "Before For From With What Who Why How Is Are Was Were Do Does Did Will Can A An No Not So Some Many Most All "
    "Now Please Let "
)
BOOKS = word_set(
    "Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth Samuel Kings Chronicles Ezra Esther Job Psalm "
    "Psalms Proverbs "
    "Ecclesiastes Isaiah Jeremiah Ezekiel Daniel Hosea Amos Jonah Micah Matthew Mark Luke John Acts Romans "
    "Corinthians Galatians "
    "Ephesians Philippians Colossians Timothy Titus Hebrews James Peter Jude Revelation"
)
AFTER_I = word_set(
    "am was had have will would can could do did think thought want wanted need needed know knew like liked love "
    "loved never always "
    "really must should might may feel felt see saw said say hope just still wrote read"
)
CODED = word_set(
    "Room Flight Gate Suite Apt Apartment Highway Route Interstate Channel Boeing Airbus Studio Error error Bus bus "
    "Train "
    "RTX GTX Xbox Extension extension code HTTP status Locker Model"
)
SPELLED = (
    "PIN", "PIN code", "PIN is", "OTP", "passcode", "password", "code is", "account number", "Account number",
    "confirmation number", "ticket number", "tracking number", "ZIP", "ZIP is", "zip is", "ZIP code", "zip code",
    "postcode",
)  # fmt: skip

MARKS = {
    ".": "dot", ",": "comma", "/": "slash", "@": "at", "-": "dash", "_": "underscore", ":": "colon",
    "?": "question mark",
    "=": "equals", "&": "and", "#": "hash", "+": "plus", "%": "percent", "~": "tilde",
}  # fmt: skip

SIGNS = {
    "&": "and", "#": "hashtag", "@": "at", "=": "equals", "²": "squared", "³": "cubed", "C++": "C plus plus",
}  # fmt: skip

OPERATORS = {
    "+": "plus", "-": "minus", "−": "minus", "×": "times", "x": "by", "*": "times", "÷": "divided by", "=": "equals",
    "±": "plus or minus", "~": "about", "≈": "approximately", "<": "less than", ">": "greater than",
    "^": "to the power of", "/": "out of", "≤": "at most", "≥": "at least",
}  # fmt: skip
