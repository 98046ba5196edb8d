"""Tables of the German grammar: units, money, abbreviations and the genders of nouns."""

from __future__ import annotations

from flashtts_core.text.normalize.european.grammar import Currency, Noun
from flashtts_core.text.normalize.european.metric import metric_units
from flashtts_core.text.normalize.european.rules import word_set

MASCULINE, FEMININE, NEUTER = "cardinal-masculine", "cardinal-feminine", "cardinal-neuter"
MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
MONTH_NUMBERS = {month: index for index, month in enumerate(MONTHS, 1)}
MONTH_NUMBERS |= {"Jan.": 1, "Feb.": 2, "Mär.": 3, "Apr.": 4, "Jun.": 6, "Jul.": 7, "Aug.": 8, "Sep.": 9, "Sept.": 9}
MONTH_NUMBERS |= {"Jänner": 1, "Okt.": 10, "Nov.": 11, "Dez.": 12, "Jan": 1, "Feb": 2, "Okt": 10, "Dez": 12}
DAYS = {
    "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag", "Sa": "Samstag",
    "So": "Sonntag",
}  # fmt: skip


def _same(name: str, form: str) -> Noun:
    return Noun(name, name, form)


def _feminine(name: str) -> Noun:
    return Noun(name, name + ("n" if name.endswith("e") else "en"), FEMININE)


_PREFIXES = {
    "": "", "k": "Kilo", "c": "Zenti", "m": "Milli", "d": "Dezi", "h": "Hekto", "n": "Nano", "µ": "Mikro", "M": "Mega",
    "G": "Giga", "T": "Tera", "P": "Peta",
}  # fmt: skip
_BASES = {
    "m": _same("Meter", MASCULINE), "g": _same("Gramm", NEUTER), "l": _same("Liter", MASCULINE), "L": _same("Liter",
    MASCULINE),
    "W": _same("Watt", NEUTER), "Wh": _feminine("Wattstunde"), "Hz": _same("Hertz", NEUTER), "V": _same("Volt", NEUTER),
    "A": _same("Ampere", NEUTER), "Ah": _feminine("Amperestunde"), "J": _same("Joule", NEUTER),
    "cal": _feminine("Kalorie"),
    "Pa": _same("Pascal", NEUTER), "B": _same("Byte", NEUTER), "bit": _same("Bit", NEUTER), "t": _feminine("Tonne"),
    "s": _feminine("Sekunde"),
}  # fmt: skip
UNITS = metric_units(
    _BASES,
    _PREFIXES,
    square=lambda name: "Quadrat" + name[0].lower() + name[1:],
    cube=lambda name: "Kubik" + name[0].lower() + name[1:],
)
for _ambiguous in ("A", "J", "B"):  # "5 A", "3 J": more often a name than a unit
    del UNITS[_ambiguous]
_HOUR, _MINUTE, _SECOND = _feminine("Stunde"), _feminine("Minute"), _feminine("Sekunde")
UNITS |= {
    "km/h": _same("Kilometer pro Stunde", MASCULINE), "m/s": _same("Meter pro Sekunde", MASCULINE),
    "Mbit/s": _same("Megabit pro Sekunde", NEUTER), "Gbit/s": _same("Gigabit pro Sekunde", NEUTER),
    "MB/s": _same("Megabyte pro Sekunde", NEUTER), "°C": _same("Grad Celsius", NEUTER), "° C": _same("Grad Celsius",
    NEUTER),
    "°F": _same("Grad Fahrenheit", NEUTER), "℃": _same("Grad Celsius", NEUTER), "°": _same("Grad", NEUTER),
    "%": _same("Prozent", NEUTER), "‰": _same("Promille", NEUTER),
    "Std.": _HOUR, "Std": _HOUR, "h": _HOUR, "Min.": _MINUTE,
    "min": _MINUTE, "min.": _MINUTE, "Sek.": _SECOND, "sek": _SECOND, "Sek": _SECOND, "ha": _same("Hektar", MASCULINE),
    "PS": _same("PS", NEUTER), "dB": _same("Dezibel", NEUTER), "Pf.": _same("Pfennig", MASCULINE),
    "EL": _same("Esslöffel", MASCULINE),
    "TL": _same("Teelöffel", MASCULINE), "Stk.": _same("Stück", NEUTER), "Pkg.": _feminine("Packung"),
    "Pck.": _feminine("Packung"),
    "px": _same("Pixel", NEUTER),
    "Pfd.": _same("Pfund", NEUTER), "Mio. t": Noun("Million Tonnen", "Millionen Tonnen", FEMININE),
}  # fmt: skip

_CENT = _same("Cent", MASCULINE)
_EURO, _DOLLAR, _US = _same("Euro", MASCULINE), _same("Dollar", MASCULINE), _same("US-Dollar", MASCULINE)
_POUND, _PENNY, _FRANC = (
    _same("Pfund", NEUTER),
    Noun("Penny", "Pence", MASCULINE),
    _same("Schweizer Franken", MASCULINE),
)
CURRENCIES = {
    "€": Currency(_EURO, _CENT), "EUR": Currency(_EURO, _CENT), "Euro": Currency(_EURO, _CENT),
    "$": Currency(_DOLLAR, _CENT),
    "US$": Currency(_US, _CENT), "US-$": Currency(_US, _CENT),
    "USD": Currency(_US, _CENT), "£": Currency(_POUND, _PENNY),
    "GBP": Currency(_POUND, _PENNY),
    "¥": Currency(_same("Yen", MASCULINE)), "JPY": Currency(_same("Yen", MASCULINE)), "CNY": Currency(_same("Yuan",
    MASCULINE)),
    "CHF": Currency(_FRANC, _same("Rappen", MASCULINE)), "Fr.": Currency(_same("Franken", MASCULINE), _same("Rappen",
    MASCULINE)),
    "₹": Currency(Noun("Rupie", "Rupien", FEMININE)), "₩": Currency(_same("Won", MASCULINE)),
    "₽": Currency(_same("Rubel", MASCULINE)),
    "BTC": Currency(_same("Bitcoin", MASCULINE)), "ct": Currency(_CENT), "Ct": Currency(_CENT), "¢": Currency(_CENT),
    "DM": Currency(_same("D-Mark", FEMININE), _same("Pfennig", MASCULINE)), "Dollar": Currency(_DOLLAR, _CENT),
}  # fmt: skip
_THOUSAND, _MILLION, _BILLION = (
    Noun("tausend", "tausend"),
    _feminine("Million"),
    Noun("Milliarde", "Milliarden", FEMININE),
)
SCALES = {
    "Tsd.": _THOUSAND, "tausend": _THOUSAND, "Mio.": _MILLION, "Mio": _MILLION, "Million": _MILLION,
    "Millionen": _MILLION,
    "Mrd.": _BILLION, "Mrd": _BILLION, "Milliarde": _BILLION, "Milliarden": _BILLION, "Bio.": _feminine("Billion"),
}  # fmt: skip
for _short in ("Tsd.", "Mio.", "Mio", "Mrd.", "Mrd"):
    UNITS[_short] = SCALES[_short]

# Nouns have capitals too, so only these words surely begin a sentence.
STARTS = (
    '["„»(]*(?:Der|Die|Das|Er|Sie|Es|Wir|Ich|Ihr|Eine?|Im|In|Am|An|Auf|Und|Aber|Dann|Als|Nach|Mit|Seit|Auch|Doch|So|Da'
    "|Wenn|Weil|Bitte|Jetzt|Heute|Danach|Dort|Hier|Man|Wer|Was|Wie|Wo|Warum|Ist|Sind|Hat|Haben|Kann|Für|Bei|Von|Zu|Nun"
    "|Dazu|Dies|Diese)\\b"
)

TITLES = {
    "Hr.": "Herr", "Hrn.": "Herrn", "Fr.": "Frau", "St.": "Sankt", "Hl.": "Heilige", "hl.": "heilige",
    "Frl.": "Fräulein", "Fa.": "Firma", "Fam.": "Familie",
    "Dr.": "Doktor", "Dres.": "Doktores", "Prof.": "Professor", "Dipl.-Ing.": "Diplomingenieur", "Ing.": "Ingenieur",
}  # fmt: skip
INSIDE = {
    "z. B.": "zum Beispiel", "d. h.": "das heißt", "u. a.": "unter anderem", "z. T.": "zum Teil",
    "i. d. R.": "in der Regel",
    "u. U.": "unter Umständen", "o. Ä.": "oder Ähnliches", "o. ä.": "oder ähnlich", "u. Ä.": "und Ähnliches",
    "v. a.": "vor allem",
    "s. o.": "siehe oben", "s. u.": "siehe unten", "i. A.": "im Auftrag", "i. V.": "in Vertretung",
    "n. Chr.": "nach Christus",
    "v. Chr.": "vor Christus", "m. E.": "meines Erachtens", "z. Zt.": "zurzeit", "z. Z.": "zurzeit",
    "bzw.": "beziehungsweise",
    "ca.": "circa", "vgl.": "vergleiche", "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive",
    "exkl.": "exklusive",
    "zzgl.": "zuzüglich", "abzgl.": "abzüglich", "bzgl.": "bezüglich", "bspw.": "beispielsweise", "sog.": "sogenannte",
    "rd.": "rund", "gem.": "gemäß", "max.": "maximal", "mind.": "mindestens", "geb.": "geboren", "gest.": "gestorben",
    "lt.": "laut", "vs.": "versus", "u.": "und", "allg.": "allgemein", "einschl.": "einschließlich", "Tel.": "Telefon",
    "MwSt.": "Mehrwertsteuer", "Mwst.": "Mehrwertsteuer", "Co.": "Co",
    "Hbf.": "Hauptbahnhof", "eig.": "eigentlich", "d. J.": "dieses Jahres",
    "ehem.": "ehemalige", "öff.": "öffentlich", "tägl.": "täglich", "jährl.": "jährlich", "monatl.": "monatlich",
}  # fmt: skip
CLOSING = {
    "usw.": "und so weiter", "etc.": "et cetera", "usf.": "und so fort", "u. v. m.": "und vieles mehr",
    "Str.": "Straße",
    "Abt.": "Abteilung", "Jh.": "Jahrhundert", "Jhd.": "Jahrhundert", "Univ.": "Universität",
}  # fmt: skip
NUMBERED = {
    "Nr.": "Nummer", "Nrn.": "Nummern", "S.": "Seite", "Kap.": "Kapitel", "Bd.": "Band", "Abb.": "Abbildung",
    "Art.": "Artikel",
    "Abs.": "Absatz", "Ziff.": "Ziffer", "Str.": "Straße", "§": "Paragraf",
    "§§": "Paragrafen", "#": "Nummer",
    "Aufl.": "Auflage", "Zi.": "Zimmer", "Gl.": "Gleis", "Gr.": "Größe",
    "Jg.": "Jahrgang", "Pl.": "Platz", "Anm.": "Anmerkung", "Tab.": "Tabelle",
}  # fmt: skip

ROMAN_AFTER = word_set("Kapitel Band Teil Akt Szene Artikel Abschnitt Buch Typ Stufe Phase Klasse Episode Anhang")
MONARCHS = word_set(
    "Ludwig Karl Friedrich Heinrich Wilhelm Otto Franz Joseph Leopold Maximilian Rudolf Ferdinand Philipp Georg Eduard "
    "Elisabeth Elizabeth Charles Katharina Peter Nikolaus Alexander Johannes Paul Pius Benedikt Gregor Leo Clemens "
    "Innozenz Napoleon Christian Gustav August Konrad Albrecht Ramses Iwan Juan Carlos Felipe Viktor Emanuel Richard "
    "Jakob Urban Margarethe"
)
WOMEN = word_set("Elisabeth Elizabeth Katharina Margarethe")

FEMININE_NOUNS = word_set(
    "Frau Person Stadt Hand Nacht Mutter Tochter Schwester Wurst Milch Bank Wand Kuh Maus Gans Kraft Art Zahl Uhr Tür "
    "Bahn Fahrt Antwort Arbeit Gabel Regel Tafel Insel Formel Nummer Kammer Feder Butter Mauer Steuer Million Prise "
    "Mark Wahl Luft Form Firma Pizza Kamera Party Oma App E-Mail Mail Couch Idee Partei Polizei Packung Jury Show Tour"
)
FEMININE_ENDINGS = ("ung", "heit", "keit", "schaft", "ion", "tät", "ik", "enz", "anz", "in", "e")
MASCULINE_NOUNS = word_set(
    "Spieltag Geburtstag Weltkrieg Advent Rang Gang Tag Monat Mann Bruder Vater Sohn Hund Vogel Fisch Baum Tisch Stuhl "
    "Ball Platz Stock Punkt Teil Weg Zug Bus Film Brief Satz Name Käse Junge Kollege Kunde Löwe Hase Affe Neffe Gast "
    "Freund Arzt Löffel Apfel Schlüssel Kuchen Garten Laden Wagen Abend Morgen Sommer Winter Herbst Frühling Euro "
    "Dollar Cent Liter Meter Kilometer Computer Lehrer Schüler Spieler Teilnehmer Besucher Artikel Absatz Band Raum "
    "Schritt Treffer Stern Preis Termin Kaffee Tee Saft Wein Becher Teller Koffer Test Kreis Rest"
)
NEUTER_NOUNS = word_set(
    "OG UG Obergeschoss Jahr Kind Haus Auto Buch Bild Mal Zimmer Bier Glas Stück Land Wort Problem Ergebnis Prozent "
    "Gramm Kilo Kilogramm Pfund Gigabyte Megabyte Tor Spiel Ei Brot Brötchen Mädchen Tier Pferd Huhn Schwein Schaf "
    "Schiff Boot Flugzeug Rad Fahrrad Bett Fenster Dach Fest Lied Foto Video Handy Telefon Gerät Werk Dorf Blatt Heft "
    "Bein Auge Ohr Ende Jahrhundert Jahrzehnt Kapitel Semester Quartal Viertel Drittel Grad Hotel Ticket Team Hemd "
    "Kleid Interview Beispiel Viertelstündchen Gebäude Gemüse Getränk Messer Feuer"
)

CODED = (
    "PLZ", "BLZ", "PIN", "PIN ist", "TAN", "OTP", "Code", "Code ist", "Code lautet", "Passwort", "Konto", "Kontonummer",
    "Kundennummer", "Bestellnummer", "Rechnungsnummer",
)  # fmt: skip

MARKS = {
    ".": "Punkt", ",": "Komma", "/": "Schrägstrich", "@": "at", "-": "Bindestrich", "_": "Unterstrich",
    ":": "Doppelpunkt",
    "?": "Fragezeichen", "=": "gleich", "&": "und", "#": "Raute", "+": "plus", "%": "Prozent", "~": "Tilde",
}  # fmt: skip

SIGNS = {
    "&": "und", "#": "Hashtag", "@": "at", "=": "gleich", "²": "Quadrat", "³": "hoch drei", "C++": "C plus plus",
}  # fmt: skip

OPERATORS = {
    "+": "plus", "-": "minus", "−": "minus", "×": "mal", "x": "mal", "*": "mal", "·": "mal", "÷": "geteilt durch",
    "=": "ist gleich",
    "±": "plus minus", "~": "etwa", "≈": "ungefähr", "<": "kleiner als", ">": "größer als", "^": "hoch", "/": "von",
    "≤": "höchstens", "≥": "mindestens",
}  # fmt: skip
