"""Tables of the Italian grammar: units, money, abbreviations and the genders of nouns."""

from __future__ import annotations

from flashtts_core.text.normalize.european.grammar import Currency, Noun
from flashtts_core.text.normalize.european.metric import metric_units
from flashtts_core.text.normalize.european.rules import word_set

MASCULINE, FEMININE = "cardinal-masculine", "cardinal-feminine"
DAYS = {
    "lun": "lunedì", "mar": "martedì", "mer": "mercoledì", "gio": "giovedì", "ven": "venerdì", "sab": "sabato",
    "dom": "domenica",
}  # fmt: skip
MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
    "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
)  # fmt: skip
MONTH_SHORT = {month[:3]: month for month in MONTHS} | {"sett": "settembre", "genn": "gennaio", "febbr": "febbraio"}


def _noun(one: str, many: str = "", form: str = MASCULINE) -> Noun:
    return Noun(one, many or one[:-1] + "i", form)


def _same(name: str) -> Noun:
    return Noun(name, name, MASCULINE)


def _feminine(one: str) -> Noun:
    return Noun(one, one[:-1] + "e", FEMININE)


_PREFIXES = {
    "": "", "k": "chilo", "c": "centi", "m": "milli", "d": "deci", "h": "etto", "n": "nano", "µ": "micro", "M": "mega",
    "G": "giga", "T": "tera", "P": "peta",
}  # fmt: skip
_BASES = {
    "m": _noun("metro"), "g": _noun("grammo"), "l": _noun("litro"), "L": _noun("litro"), "W": _same("watt"),
    "Wh": _noun("wattora", "wattora"), "Hz": _same("hertz"), "V": _same("volt"), "A": _same("ampere"),
    "Ah": _same("amperora"),
    "J": _same("joule"), "cal": _feminine("caloria"), "Pa": _same("pascal"), "B": _same("byte"), "bit": _same("bit"),
    "t": _feminine("tonnellata"), "s": _noun("secondo"),
}  # fmt: skip


def _power(word: str, name: str) -> str:
    return f"{name} {word}{name[-1]}"


UNITS = metric_units(
    _BASES, _PREFIXES, square=lambda name: _power("quadrat", name), cube=lambda name: _power("cub", name)
)
for _ambiguous in ("A", "J", "B"):  # "5 A", "3 J": more often a name than a unit
    del UNITS[_ambiguous]
_DEGREE_CELSIUS = Noun("grado Celsius", "gradi Celsius", MASCULINE)
UNITS |= {
    "km/h": Noun("chilometro all'ora", "chilometri all'ora", MASCULINE), "m/s": Noun("metro al secondo",
    "metri al secondo", MASCULINE),
    "Mbit/s": Noun("megabit al secondo", "megabit al secondo"), "Mbps": Noun("megabit al secondo",
    "megabit al secondo"),
    "Gbps": Noun("gigabit al secondo", "gigabit al secondo"), "MB/s": Noun("megabyte al secondo",
    "megabyte al secondo"),
    "°C": _DEGREE_CELSIUS, "° C": _DEGREE_CELSIUS, "ºC": _DEGREE_CELSIUS, "℃": _DEGREE_CELSIUS,
    "°F": Noun("grado Fahrenheit", "gradi Fahrenheit", MASCULINE), "%": Noun("per cento", "per cento"),
    "‰": Noun("per mille", "per mille"),
    "h": Noun("ora", "ore", FEMININE), "min": _noun("minuto"), "min.": _noun("minuto"), "sec": _noun("secondo"),
    "sec.": _noun("secondo"),
    "ha": _noun("ettaro"), "CV": _noun("cavallo"), "dB": _same("decibel"), "px": _same("pixel"),
    "mq": Noun("metro quadrato", "metri quadrati", MASCULINE),
    "kmq": Noun("chilometro quadrato", "chilometri quadrati", MASCULINE), "mc": Noun("metro cubo", "metri cubi",
    MASCULINE),
    "q": _noun("quintale"), "hg": _noun("etto"),
}  # fmt: skip

_CENT = _noun("centesimo")
_EURO, _DOLLAR, _POUND = _same("euro"), _noun("dollaro"), _feminine("sterlina")
_US, _YEN = Noun("dollaro statunitense", "dollari statunitensi", MASCULINE), _same("yen")
CURRENCIES = {
    "€": Currency(_EURO, _CENT), "EUR": Currency(_EURO, _CENT), "$": Currency(_DOLLAR, _CENT),
    "US$": Currency(_US, _CENT),
    "USD": Currency(_US, _CENT), "£": Currency(_POUND, Noun("penny", "pence", MASCULINE)),
    "GBP": Currency(_POUND, Noun("penny", "pence")),
    "¥": Currency(_YEN), "JPY": Currency(_YEN), "CNY": Currency(_same("yuan")),
    "CHF": Currency(Noun("franco svizzero", "franchi svizzeri"), _CENT),
    "₹": Currency(_feminine("rupia")), "BTC": Currency(_same("bitcoin")), "¢": Currency(_CENT),
    "₽": Currency(_noun("rublo")),
}  # fmt: skip
_MILLION, _BILLION, _THOUSAND = _noun("milione"), _noun("miliardo"), Noun("mila", "mila")
SCALES = {
    "mila": _THOUSAND, "k": _THOUSAND, "K": _THOUSAND, "mln": _MILLION, "M": _MILLION, "milione": _MILLION,
    "milioni": _MILLION,
    "mld": _BILLION, "mrd": _BILLION, "miliardo": _BILLION, "miliardi": _BILLION, "Mln": _MILLION, "Mld": _BILLION,
}  # fmt: skip

UNITS |= {"mln": _MILLION, "mld": _BILLION}

TITLES = {
    "sig.": "signor", "sig.ra": "signora", "sig.na": "signorina", "sigg.": "signori", "dott.": "dottor",
    "dott.ssa": "dottoressa",
    "dr.": "dottor", "dr.ssa": "dottoressa", "prof.": "professor", "prof.ssa": "professoressa", "ing.": "ingegner",
    "avv.": "avvocato",
    "arch.": "architetto", "rag.": "ragionier", "geom.": "geometra", "on.": "onorevole", "sen.": "senatore",
    "gen.": "generale",
    "don.": "don", "mons.": "monsignor", "card.": "cardinale", "cap.": "capitano", "col.": "colonnello", "Ss.": "Santi",
    "p.zza": "piazza", "p.za": "piazza", "P.zza": "Piazza", "v.le": "viale", "V.le": "Viale", "c.so": "corso",
    "C.so": "Corso",
    "l.go": "largo", "via.": "via", "f.lli": "fratelli", "F.lli": "Fratelli", "comm.": "commendatore",
    "egr.": "egregio", "gent.": "gentile",
}  # fmt: skip
INSIDE = {
    "ad es.": "ad esempio", "p. es.": "per esempio", "es.": "esempio", "a. C.": "avanti Cristo",
    "d. C.": "dopo Cristo",
    "vs.": "versus", "vs": "versus", "ca.": "circa", "cfr.": "confronta", "tel.": "telefono", "max.": "massimo",
    "c/o": "presso",
    "c.d.": "cosiddetto", "spett.": "spettabile", "incl.": "incluso", "dott.ri": "dottori",
    "sec. a. C.": "secolo avanti Cristo",
    "sec. d. C.": "secolo dopo Cristo", "S.p.A.": "società per azioni",
    "S.r.l.": "società a responsabilità limitata",
}  # fmt: skip
CLOSING = {"ecc.": "eccetera", "etc.": "eccetera", "ndr.": "nota della redazione"}
NUMBERED = {
    "n.": "numero", "nn.": "numeri", "n°": "numero", "nº": "numero", "N.": "Numero", "num.": "numero",
    "p.": "pagina", "pag.": "pagina",
    "pagg.": "pagine", "pp.": "pagine", "vol.": "volume", "cap.": "capitolo", "art.": "articolo",
    "artt.": "articoli", "fig.": "figura",
    "tab.": "tabella", "int.": "interno", "ed.": "edizione", "#": "numero", "§": "paragrafo",
    "co.": "comma",
}  # fmt: skip

ROMAN_AFTER = word_set(
    "capitolo tomo atto scena libro parte volume articolo sezione allegato tipo fase titolo livello classe episodio "
    "guerra Capitolo Tomo Atto Scena Libro Parte Volume Articolo Sezione Allegato Tipo Fase Titolo Livello Classe "
    "Episodio"
)
MONARCHS = word_set(
    "Luigi Carlo Enrico Francesco Napoleone Filippo Giovanni Paolo Pio Gregorio Benedetto Leone Clemente Elisabetta "
    "Caterina Guglielmo Edoardo Giorgio Giacomo Riccardo Federico Ferdinando Alfonso Alessandro Nicola Pietro Ramses "
    "Alberto Leopoldo Vittorio Emanuele Umberto Amedeo Cosimo Lorenzo Ottone Innocenzo Bonifacio Urbano Sisto Giulio "
    "Massimiliano Rodolfo Isabella Maria"
)
WOMEN = word_set("Elisabetta Caterina Isabella Maria Margherita")

FEMININE_NOUNS = word_set(
    "notte voce parte classe chiave luce mente gente fine legge madre moglie carne neve torre morte arte base fase "
    "frase mano foto auto moto radio bici crisi tesi analisi serie specie superficie stazione nave chiesa rete sete "
    "fame febbre corte fonte fronte pelle valle estate siepe volpe tigre croce noce pace radice capacità email mail "
    "app"
)  # fmt: skip
FEMININE_ENDINGS = ("a", "zione", "sione", "gione", "trice", "tudine", "ite", "igine", "tà", "tù", "ice")
MASCULINE_NOUNS = word_set(
    "problema programma sistema tema clima poeta cinema dramma poema dilemma schema teorema panorama enigma diploma "
    "sintomo idioma pianeta profeta papa vaglia gorilla delta pigiama tè caffè giudice vertice codice indice vice "
    "dentice pollice limite"
)
NO_NOUNS = word_set(
    "a ad al alla alle allo agli ai che chi ci come con contro cui da dal dalla dalle dallo dai dagli dei del della "
    "delle dello degli di dopo e è ed fa fra già gli ha hanno i il in la le lo ma mi nei nel nella nelle nello non o "
    "ogni per però più prima quando se si sono senza solo sotto sopra sul sulla su sui te ti tra tutti un una uno va "
    "vi verso mila era erano fu qui là lì anche"
)
CODED = ("PIN", "codice", "codice è", "codice postale", "CAP", "password", "numero di conto", "numero d'ordine")

MARKS = {
    ".": "punto", ",": "virgola", "/": "barra", "@": "chiocciola", "-": "trattino", "_": "trattino basso",
    ":": "due punti",
    "?": "punto interrogativo", "=": "uguale", "&": "e", "#": "cancelletto", "+": "più", "%": "per cento", "~": "tilde",
}  # fmt: skip

SIGNS = {
    "&": "e", "#": "hashtag", "@": "chiocciola", "=": "uguale", "²": "al quadrato", "³": "al cubo", "C++": "C più più",
}  # fmt: skip

OPERATORS = {
    "+": "più", "-": "meno", "−": "meno", "×": "per", "x": "per", "*": "per", "÷": "diviso", "=": "uguale a",
    "±": "più o meno",
    "~": "circa", "≈": "circa", "<": "meno di", ">": "più di", "^": "elevato a", "/": "su", "≤": "al massimo",
    "≥": "almeno",
}  # fmt: skip
