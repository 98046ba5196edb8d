"""Tables of the Spanish grammar: units, money, abbreviations and the genders of nouns."""

from __future__ import annotations

from flashtts_core.text.normalize.european.grammar import Currency, Noun
from flashtts_core.text.normalize.european.metric import metric_units
from flashtts_core.text.normalize.european.rules import word_set

MASCULINE, FEMININE = "cardinal-masculine", "cardinal-feminine"
DAYS = {
    "lun": "lunes", "mar": "martes", "mié": "miércoles", "mier": "miércoles", "jue": "jueves", "vie": "viernes",
    "sáb": "sábado", "dom": "domingo",
}  # fmt: skip
MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip
MONTH_NUMBERS = {month: index for index, month in enumerate(MONTHS, 1)} | {"setiembre": 9}


def _noun(one: str, many: str = "", form: str = MASCULINE) -> Noun:
    return Noun(one, many or one + ("s" if one[-1] in "aeo" else "es"), form)


def _feminine(one: str) -> Noun:
    return _noun(one, form=FEMININE)


_PREFIXES = {
    "": "", "k": "kilo", "c": "centi", "m": "mili", "d": "deci", "h": "hecto", "n": "nano", "µ": "micro", "M": "mega",
    "G": "giga", "T": "tera", "P": "peta",
}  # fmt: skip
_BASES = {
    "m": _noun("metro"), "g": _noun("gramo"), "l": _noun("litro"), "L": _noun("litro"), "W": _noun("vatio"),
    "Wh": Noun("vatio hora", "vatios hora", MASCULINE), "Hz": Noun("hercio", "hercios", MASCULINE),
    "V": _noun("voltio"),
    "A": _noun("amperio"), "Ah": Noun("amperio hora", "amperios hora", MASCULINE), "J": _noun("julio"),
    "cal": _feminine("caloría"),
    "Pa": _noun("pascal"), "B": _noun("byte"), "bit": _noun("bit", "bits"), "t": _feminine("tonelada"),
    "s": _noun("segundo"),
}  # fmt: skip


def _power(word: str, name: str) -> str:
    return f"{name} {word}s" if name.endswith("s") else f"{name} {word}"


UNITS = metric_units(
    _BASES, _PREFIXES, square=lambda name: _power("cuadrado", name), cube=lambda name: _power("cúbico", name)
)
for _ambiguous in ("A", "J", "B"):  # "5 A", "3 J": more often a name than a unit
    del UNITS[_ambiguous]
_PER_SECOND = {
    "Mbit/s": "megabit",
    "Mb/s": "megabit",
    "Mbps": "megabit",
    "Gbps": "gigabit",
    "MB/s": "megabyte",
    "m/s": "metro",
}
UNITS |= {unit: Noun(f"{name} por segundo", f"{name}s por segundo", MASCULINE) for unit, name in _PER_SECOND.items()}
UNITS |= {
    "km/h": Noun("kilómetro por hora", "kilómetros por hora", MASCULINE), "°C": _noun("grado Celsius",
    "grados Celsius"),
    "º C": _noun("grado Celsius", "grados Celsius"), "ºC": _noun("grado Celsius", "grados Celsius"),
    "℃": _noun("grado Celsius", "grados Celsius"),
    "° C": _noun("grado Celsius", "grados Celsius"), "°F": _noun("grado Fahrenheit", "grados Fahrenheit"),
    "°": _noun("grado"),
    "%": Noun("por ciento", "por ciento"), "‰": Noun("por mil", "por mil"), "h": _feminine("hora"),
    "hs": _feminine("hora"),
    "min": _noun("minuto"), "min.": _noun("minuto"), "seg": _noun("segundo"), "seg.": _noun("segundo"),
    "ha": _feminine("hectárea"),
    "CV": Noun("caballo", "caballos", MASCULINE), "dB": _noun("decibelio"), "px": _noun("píxel", "píxeles"),
    "kms": Noun("kilómetro", "kilómetros", MASCULINE), "kgs": Noun("kilogramo", "kilogramos", MASCULINE),
    "uds.": _feminine("unidad"),
}  # fmt: skip
for _prefix, _name in (("", ""), ("k", "kiló"), ("c", "centí"), ("m", "milí"), ("d", "decí")):
    for _mark, _power_name in (("", ""), ("²", " cuadrado"), ("2", " cuadrado"), ("³", " cúbico"), ("3", " cúbico")):
        if _prefix:  # lengths carry an accent: kilómetro
            _many = f"{_name}metros{_power_name}" + ("s" if _power_name else "")
            UNITS[f"{_prefix}m{_mark}"] = Noun(f"{_name}metro{_power_name}", _many, MASCULINE)

_CENT, _CENTAVO = _noun("céntimo"), _noun("centavo")
_EURO, _DOLLAR, _POUND = _noun("euro"), _noun("dólar"), _feminine("libra")
_US, _YEN = _noun("dólar estadounidense", "dólares estadounidenses"), _noun("yen")
CURRENCIES = {
    "€": Currency(_EURO, _CENT), "EUR": Currency(_EURO, _CENT), "$": Currency(_DOLLAR, _CENTAVO),
    "US$": Currency(_US, _CENTAVO),
    "USD": Currency(_US, _CENTAVO), "£": Currency(_POUND, Noun("penique", "peniques", MASCULINE)), "¥": Currency(_YEN),
    "GBP": Currency(_noun("libra esterlina", "libras esterlinas", FEMININE), _noun("penique")), "JPY": Currency(_YEN),
    "MX$": Currency(_noun("peso mexicano", "pesos mexicanos"), _CENTAVO), "MXN": Currency(_noun("peso mexicano",
    "pesos mexicanos"), _CENTAVO), "ARS": Currency(_noun("peso argentino",
    "pesos argentinos"), _CENTAVO),
    "CNY": Currency(_noun("yuan")), "CHF": Currency(_noun("franco suizo", "francos suizos"), _CENT),
    "₹": Currency(_feminine("rupia")),
    "BTC": Currency(_noun("bitcoin", "bitcoins")), "¢": Currency(_CENTAVO), "R$": Currency(_noun("real"), _CENTAVO),
}  # fmt: skip
_MILLION, _THOUSAND = Noun("millón", "millones", MASCULINE), Noun("mil", "mil", MASCULINE)
SCALES = {
    "k": _THOUSAND, "K": _THOUSAND, "mil": _THOUSAND, "M": _MILLION, "mill.": _MILLION, "millón": _MILLION,
    "millones": _MILLION,
    "mdd": Noun("millón", "millones", MASCULINE),
}  # fmt: skip

TITLES = {
    "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Sres.": "señores", "Sras.": "señoras", "Dr.": "doctor",
    "Dra.": "doctora",
    "D.": "don", "Dña.": "doña", "D.ª": "doña", "Prof.": "profesor", "prof.": "profesor", "dr.": "doctor",
    "dra.": "doctora", "sr.": "señor", "sra.": "señora", "Profa.": "profesora", "Lic.": "licenciado",
    "Ing.": "ingeniero",
    "Gral.": "general", "Sto.": "santo", "Sta.": "santa", "Fr.": "fray", "Mons.": "monseñor",
    "Excmo.": "excelentísimo",
    "Avda.": "avenida", "Av.": "avenida", "Pza.": "plaza", "Pl.": "plaza", "C/": "calle", "Ctra.": "carretera",
    "Bco.": "banco",
}  # fmt: skip
INSIDE = {
    "p. ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes", "Vd.": "usted", "Vds.": "ustedes",
    "aprox.": "aproximadamente",
    "a. C.": "antes de Cristo", "d. C.": "después de Cristo", "vs.": "versus", "vs": "versus", "dpto.": "departamento",
    "tel.": "teléfono", "tfno.": "teléfono", "tlf.": "teléfono", "admón.": "administración", "máx.": "máximo",
    "mín.": "mínimo",
    "cf.": "confróntese", "incl.": "incluido", "cda.": "cucharada", "cdas.": "cucharadas", "cdta.": "cucharadita",
    "cdtas.": "cucharaditas", "izq.": "izquierda", "dcha.": "derecha", "s/n": "sin número",
    "c/u": "cada uno",
    "q.e.p.d.": "que en paz descanse", "ed.": "edición",
}  # fmt: skip
CLOSING = {
    "etc.": "etcétera", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos", "EEUU": "Estados Unidos",
    "EE UU": "Estados Unidos", "Cía.": "compañía",
    "FF. AA.": "Fuerzas Armadas", "RR. HH.": "recursos humanos", "JJ. OO.": "Juegos Olímpicos",
}  # fmt: skip
NUMBERED = {
    "n.º": "número", "n.°": "número", "nº": "número", "n°": "número", "N.º": "Número", "Nº": "Número",
    "N°": "Número", "núm.": "número", "núms.": "números",
    "p.": "página", "pág.": "página", "págs.": "páginas", "pp.": "páginas", "vol.": "volumen", "cap.": "capítulo",
    "art.": "artículo",
    "fig.": "figura", "km.": "kilómetro", "apdo.": "apartado", "#": "número", "§": "sección", "c/": "calle",
    "ene.": "enero", "feb.": "febrero", "abr.": "abril", "ago.": "agosto", "sept.": "septiembre", "oct.": "octubre",
    "nov.": "noviembre", "dic.": "diciembre",
}  # fmt: skip
MONTH_SHORT = {
    "ene": "enero", "feb": "febrero", "mar": "marzo", "abr": "abril", "may": "mayo", "jun": "junio", "jul": "julio",
    "ago": "agosto",
    "sep": "septiembre", "sept": "septiembre", "oct": "octubre", "nov": "noviembre", "dic": "diciembre",
}  # fmt: skip

ROMAN_AFTER = word_set(
    "capítulo tomo acto escena libro parte volumen artículo sección anexo tipo fase título nivel clase episodio Guerra "
    "Capítulo Tomo Acto Escena Libro Parte Volumen Artículo Sección Anexo Tipo Fase Título Nivel Clase Episodio "
    "Mundial"
)
MONARCHS = word_set(
    "Felipe Alfonso Carlos Fernando Isabel Luis Enrique Francisco Napoleón Juan Pablo Pío Gregorio Benedicto León "
    "Clemente Jaime Pedro Sancho Ramiro Catalina Guillermo Eduardo Jorge Ricardo Federico Alejandro Nicolás Ramsés "
    "Alberto Leopoldo Juana María Cristina Margarita Gustavo Inocencio Bonifacio Urbano Maximiliano Rodolfo "
    "Constantino Teodosio Mohamed Hassan"
)
WOMEN = word_set("Isabel Catalina Juana María Cristina Margarita")

FEMININE_NOUNS = word_set(
    "veces noches tardes calles llaves clases mujeres flores manos fotos motos partes leches imágenes paredes redes "
    "luces voces cruces nubes naves torres madres series especies tesis crisis sales señales catedrales radios frases "
    "bases fases tropas serpientes aves gentes sangres muertes suertes fuentes raíces nueces narices actrices "
    "directrices sedes dosis hectáreas vez noche tarde calle llave clase mujer flor mano foto moto parte leche imagen "
    "pared red luz voz cruz nube nave torre madre serie especie señal radio frase base fase fuente raíz nuez sede ley "
    "leyes miel sal piel pieles sangre razón razones"
)
FEMININE_ENDINGS = (
    "as",
    "a",
    "ción",
    "sión",
    "ciones",
    "siones",
    "dad",
    "dades",
    "tad",
    "tades",
    "tud",
    "tudes",
    "umbre",
    "umbres",
)
MASCULINE_NOUNS = word_set(
    "día mapa problema programa sistema tema idioma clima planeta poeta cometa drama poema dilema lema síntoma diploma "
    "fantasma aroma cura tranvía sofá papá atleta guía policía futbolista turista artista periodista dentista taxista "
    "electricista kilograma telegrama diagrama esquema teorema panorama crucigrama enigma carisma estigma trauma asma "
    "mañana dálmata"
)
NO_NOUNS = word_set(
    "a al ante bajo con contra de del desde e el ella ellas ellos en entre es está están era fue ha hace hasta hay la "
    "las le les lo los más menos me mi muy ni no o para pero por porque que se según será si sin sobre son su sus "
    "también te ti tras tu u un una y ya yo como cuando donde cada todo todos toda todas así aunque"
)
CODED = (
    "PIN",
    "código",
    "código es",
    "código postal",
    "C.P.",
    "CP",
    "contraseña",
    "número de cuenta",
    "número de pedido",
)

MARKS = {
    ".": "punto", ",": "coma", "/": "barra", "@": "arroba", "-": "guion", "_": "guion bajo", ":": "dos puntos",
    "?": "interrogación", "=": "igual", "&": "y", "#": "almohadilla", "+": "más", "%": "por ciento", "~": "tilde",
}  # fmt: skip

SIGNS = {
    "&": "y", "#": "hashtag", "@": "arroba", "=": "igual a", "²": "al cuadrado", "³": "al cubo", "C++": "C más más",
}  # fmt: skip

OPERATORS = {
    "+": "más", "-": "menos", "−": "menos", "×": "por", "x": "por", "*": "por", "÷": "entre", "=": "igual a",
    "±": "más menos",
    "~": "unos", "≈": "aproximadamente", "<": "menos de", ">": "más de", "^": "elevado a", "/": "sobre",
    "≤": "como máximo", "≥": "como mínimo",
}  # fmt: skip
