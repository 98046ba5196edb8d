"""Tables of the French grammar: units, money, abbreviations and what betrays a feminine noun."""

from __future__ import annotations

from flashtts_core.text.normalize.european.grammar import Currency, Noun
from flashtts_core.text.normalize.european.metric import metric_units
from flashtts_core.text.normalize.european.rules import word_set

FEMININE = "cardinal-feminine"
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
DAYS = {
    "lun": "lundi", "mar": "mardi", "mer": "mercredi", "jeu": "jeudi", "ven": "vendredi", "sam": "samedi",
    "dim": "dimanche",
}  # fmt: skip


def _noun(one: str, form: str = "cardinal-masculine") -> Noun:
    return Noun(one, " ".join(word if word in ("par", "à", "de") else word + "s" for word in one.split()), form)


def _feminine(one: str) -> Noun:
    return _noun(one, FEMININE)


def _same(name: str) -> Noun:
    return Noun(name, name, "cardinal-masculine")


_PREFIXES = {
    "": "", "k": "kilo", "c": "centi", "m": "milli", "d": "déci", "h": "hecto", "n": "nano", "µ": "micro", "M": "méga",
    "G": "giga", "T": "téra", "P": "péta",
}  # fmt: skip
_BASES = {
    "m": _noun("mètre"), "g": _noun("gramme"), "l": _noun("litre"), "L": _noun("litre"), "W": _noun("watt"),
    "Wh": Noun("wattheure", "wattheures"), "Hz": _same("hertz"), "V": _noun("volt"), "A": _noun("ampère"),
    "Ah": Noun("ampère-heure", "ampères-heures"), "J": _noun("joule"), "cal": _feminine("calorie"),
    "Pa": _noun("pascal"),
    "B": _noun("octet"), "o": _noun("octet"), "bit": _noun("bit"), "t": _feminine("tonne"), "s": _feminine("seconde"),
}  # fmt: skip


def _power(word: str, name: str) -> str:
    return f"{name} {word}s" if name.endswith("s") else f"{name} {word}"


UNITS = metric_units(
    _BASES, _PREFIXES, square=lambda name: _power("carré", name), cube=lambda name: _power("cube", name)
)
for _ambiguous in ("A", "J", "B", "o"):  # "5 A", "3 J": more often a name than a unit
    del UNITS[_ambiguous]
UNITS |= {
    "km/h": Noun("kilomètre par heure", "kilomètres par heure"), "m/s": Noun("mètre par seconde", "mètres par seconde"),
    "Mbit/s": Noun("mégabit par seconde", "mégabits par seconde"), "Mb/s": Noun("mégabit par seconde",
    "mégabits par seconde"),
    "Go/s": Noun("gigaoctet par seconde", "gigaoctets par seconde"), "Mo/s": Noun("mégaoctet par seconde",
    "mégaoctets par seconde"),
    "°C": Noun("degré Celsius", "degrés Celsius"), "° C": Noun("degré Celsius", "degrés Celsius"),
    "°F": Noun("degré Fahrenheit", "degrés Fahrenheit"), "°": _noun("degré"), "℃": Noun("degré Celsius",
    "degrés Celsius"),
    "%": _same("pour cent"), "‰": _same("pour mille"), "min": _feminine("minute"), "mn": _feminine("minute"),
    "sec": _feminine("seconde"), "ha": _noun("hectare"), "dB": _noun("décibel"), "ch": Noun("cheval", "chevaux"),
    "px": _noun("pixel"), "h": _feminine("heure"), "j": _noun("jour"),
}  # fmt: skip

_CENT, _PENNY = _noun("centime"), Noun("penny", "pence")
_CENTS = _noun("cent")
_EURO, _DOLLAR, _POUND, _US = _noun("euro"), _noun("dollar"), _feminine("livre"), _noun("dollar américain")
_YEN, _YUAN, _FRANC = _noun("yen"), _noun("yuan"), Noun("franc suisse", "francs suisses")
CURRENCIES = {
    "€": Currency(_EURO, _CENT), "EUR": Currency(_EURO, _CENT), "$": Currency(_DOLLAR, _CENTS),
    "US$": Currency(_US, _CENTS),
    "USD": Currency(_US, _CENTS), "CAD": Currency(_noun("dollar canadien"), _CENTS), "£": Currency(_POUND, _PENNY),
    "GBP": Currency(Noun("livre sterling", "livres sterling", FEMININE), _PENNY), "¥": Currency(_YEN),
    "JPY": Currency(_YEN),
    "CNY": Currency(_YUAN), "CHF": Currency(_FRANC, _CENT), "₹": Currency(_feminine("roupie")),
    "₩": Currency(_noun("won")),
    "₽": Currency(_noun("rouble")), "BTC": Currency(_noun("bitcoin")), "¢": Currency(_CENTS),
}  # fmt: skip
_MILLION, _BILLION = _noun("million"), _noun("milliard")
SCALES = {
    "k": Noun("mille", "mille"), "K": Noun("mille", "mille"), "mille": Noun("mille", "mille"),
    "M": _MILLION, "million": _MILLION,
    "millions": _MILLION, "Md": _BILLION, "Mds": _BILLION, "md": _BILLION, "mds": _BILLION, "milliard": _BILLION,
    "milliards": _BILLION,
}  # fmt: skip

TITLES = {
    "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames", "Mlle": "Mademoiselle",
    "Mlles": "Mesdemoiselles", "Mgr": "Monseigneur", "Me": "Maître", "bd": "boulevard", "Bd": "Boulevard",
    "bd.": "boulevard",
    "bld": "boulevard", "boul.": "boulevard", "av.": "avenue", "pl.": "place", "St": "Saint", "Ste": "Sainte",
    "Mt": "mont", "fg": "faubourg",
    "Dr": "docteur", "Dr.": "docteur", "Pr": "professeur", "Pr.": "professeur", "Prof.": "professeur", "Gal": "général",
}  # fmt: skip
INSIDE = {
    "c. à s.": "cuillères à soupe", "c. à c.": "cuillères à café", "p. ex.": "par exemple",
    "c.-à-d.": "c'est-à-dire", "c-à-d": "c'est-à-dire", "càd": "c'est-à-dire",
    "env.": "environ",
    "cf.": "confer", "vs": "versus", "vs.": "versus", "apr. J.-C.": "après Jésus-Christ",
    "av. J.-C.": "avant Jésus-Christ",
    "ap. J.-C.": "après Jésus-Christ", "tél.": "téléphone", "resp.": "respectivement", "n° vert": "numéro vert",
    "approx.": "approximativement",
    "max.": "maximum", "qqch.": "quelque chose", "qqn": "quelqu'un", "bcp": "beaucoup", "svp": "s'il vous plaît",
    "s.v.p.": "s'il vous plaît", "SVP": "s'il vous plaît", "St-": "Saint-", "Ste-": "Sainte-", "J.-C.": "Jésus-Christ",
    "n.b.": "nota bene", "N.B.": "nota bene", "NB :": "nota bene :", "janv.": "janvier", "févr.": "février",
    "avr.": "avril",
    "juil.": "juillet", "oct.": "octobre", "nov.": "novembre", "déc.": "décembre",
}  # fmt: skip
CLOSING = {
    "etc.": "et cetera",
    "Cie": "compagnie",
    "Éts": "Établissements",
    "hab.": "habitants",
    "pers.": "personnes",
    "dép.": "département",
}
NUMBERED = {
    "p.": "page", "pp.": "pages", "n°": "numéro", "nº": "numéro", "n°s": "numéros",
    "art.": "article",
    "chap.": "chapitre", "fig.": "figure", "vol.": "volume", "éd.": "édition", "t.": "tome",
    "§": "paragraphe",
    "#": "numéro",
    "fév.": "février", "jan.": "janvier", "sept.": "septembre", "mar.": "mars",
}  # fmt: skip

ROMAN_AFTER = word_set(
    "chapitre tome acte scène livre partie volume article section annexe type phase titre niveau classe épisode "
    "Chapitre Tome Acte Scène Livre Partie Volume Article Section Annexe Type Phase Titre Niveau Classe Épisode"
)
MONARCHS = word_set(
    "Louis Charles Henri François Napoléon Philippe Jean Paul Pie Grégoire Benoît Léon Clément Élisabeth Elizabeth "
    "Catherine Guillaume Édouard George Georges Jacques Richard Frédéric Ferdinand Alphonse Alexandre Nicolas Pierre "
    "Ramsès Albert Léopold Baudouin Rainier Robert Hugues Otton Victor Emmanuel Umberto Felipe Juan Carlos Marie "
    "Constantin Mohammed Hassan"
)

FEMININE_NOUNS = word_set(
    "femme fille personne heure minute seconde année semaine page voiture maison fois chaise table lettre ligne tasse "
    "bouteille boîte salle chambre porte fenêtre rue ville place pièce carte photo mère sœur soeur tante dame élève "
    "vache poule pomme poire orange cerise tomate carotte livre tonne calorie note nuit étoile chose part fleur main "
    "mer dent cuillère cuillerée pincée gousse tranche feuille branche route piste île plage langue phrase syllabe "
    "parole image vidéo scène chanson école classe équipe balle victoire défaite marche étape couche fiche usine "
    "entreprise banque société association commune région province paire douzaine dizaine centaine vingtaine quinzaine "
    "journée soirée matinée tournée bougie église tour clé clef moto roue batterie caméra machine plante graine robe "
    "chemise jupe veste cravate chaussure chaussette lampe assiette fourchette bière pizza crêpe baguette voix fin "
    "saison brebis souris fourmi jument abeille mouche attaque guerre bombe arme tribune colonne grille case marge "
    "barre règle liste marque goutte planète"
)
FEMININE_ENDINGS = (
    "ête",
    "elle",
    "otte",
    "ise",
    "sse",
    "nne",
    "tion",
    "sion",
    "xion",
    "aison",
    "té",
    "ette",
    "ance",
    "ence",
    "ée",
    "euse",
    "trice",
    "ure",
    "ie",
    "ille",
    "esse",
    "enne",
    "onne",
    "ude",
    "ade",
    "ière",
    "aine",
)
MASCULINE_NOUNS = word_set(
    "été côté pâté comité traité lycée musée trophée génie incendie squelette silence murmure parapluie grade stade "
    "camarade mètre centimètre kilomètre gorille domaine capitaine"
)
CODED = ("PIN", "code", "code PIN", "code est", "mot de passe", "code postal", "numéro de compte", "numéro de commande")

MARKS = {
    ".": "point", ",": "virgule", "/": "slash", "@": "arobase", "-": "tiret", "_": "tiret bas", ":": "deux-points",
    "?": "point d'interrogation", "=": "égal", "&": "et", "#": "dièse", "+": "plus", "%": "pour cent", "~": "tilde",
}  # fmt: skip

SIGNS = {
    "&": "et", "#": "hashtag", "@": "arobase", "=": "égale", "²": "au carré", "³": "au cube", "C++": "C plus plus",
}  # fmt: skip

OPERATORS = {
    "+": "plus", "-": "moins", "−": "moins", "×": "fois", "x": "par", "*": "fois", "÷": "divisé par", "=": "égale",
    "±": "plus ou moins", "~": "environ", "≈": "environ", "<": "moins de", ">": "plus de", "^": "puissance",
    "/": "sur", "≤": "au plus", "≥": "au moins",
}  # fmt: skip
