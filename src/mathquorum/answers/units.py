"""Units of measure: their symbols with prefixes, their names, money, and expressions of them such as kg m/s^2."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = [
    "is_named_unit",
    "is_same_measure",
    "is_unit",
    "value_of_approximation",
    "with_dotted_units",
    "with_letters_of_money",
    "with_parts_in_words",
    "with_unit_in_words",
    "without_ordinal",
]

_NAMES = """
unit sq square cubic cu foot feet inch inches yard mile meter metre centimeter centimetre millimeter millimetre kilometer
kilometre micrometer nanometer decimeter hectare acre liter litre milliliter millilitre gallon quart pint cup ounce oz
pound lb lbs gram gramme kilogram milligram ton tonne second sec minute min hour hr day week month year yr decade century
centuries degree deg radian rad celsius fahrenheit kelvin percent pct percentage dollar cent usd eur gbp inr cny jpy cad
aud euro yuan rupee peso yen won pound sterling buck mph kph kmh kmph mps fps rpm bpm wpm dpi psi hz hertz volt watt joule newton
amp ampere ohm pascal mole mol calorie cal byte bit kb mb gb tb knot rmb px pixel light-year lightyear fortnight quarter ft in yd mi km cm mm
dm nm um kg mg ml cl dl kw kwh mw ha kcal rs percentage-point word item piece
btu mpg ppm ppb lumen lux candela tesla farad henry siemens becquerel furlong stone mah ah newton-meter
"""
_PLURAL = frozenset(name + ending for name in _NAMES.split() for ending in ("", "s"))
_PREFIXED = (
    "m",
    "g",
    "s",
    "N",
    "J",
    "W",
    "V",
    "A",
    "Hz",
    "Pa",
    "L",
    "l",
    "mol",
    "eV",
    "B",
    "b",
    "Wh",
    "cal",
    "bps",
    "F",
    "C",
    "K",
    "T",
)
_SYMBOLS = frozenset(
    prefix + symbol
    for prefix in ("", "k", "M", "G", "T", "m", "c", "d", "n", "u", "p", "K", "µ", "μ")
    for symbol in _PREFIXED
) | frozenset(
    (
        "h",
        "d",
        "min",
        "Omega",
        "ohm",
        "kOhm",
        "dB",
        "rad",
        "sr",
        "bar",
        "atm",
        "cc",
        "au",
        "R",
        "yr",
        "WPM",
        "RPM",
        "BPM",
        "MPH",
        "Ω",
        "kΩ",
        "MΩ",
        "lb",
        "oz",
        "ft",
        "in",
        "mi",
        "yd",
        "gal",
        "km",
        "hr",
        "sec",
        "Mbps",
        "Gbps",
        "kbps",
    )
)


_MONEY = re.compile(
    r"(?P<sum>(?:\\?\$|[€£¥₹])\s?\d[\d,]*(?:\.\d+)?)(?:\s|\\,)?(?P<font>\\(?:text|mathrm|textrm)\s?\{\s?)?"
    r"(?:(?P<thousand>[kK])|(?P<million>M|m|mn|mil)|(?P<billion>B|b|bn))(?(font)\s?\}|(?!\w))(?!\s*[$^_+*/=-])"
)


def with_letters_of_money(text: str) -> str:
    """Sums of money with the letter of a multiplier as words: $300K is 300 thousand dollars, while 300 K may be kelvins."""
    if "$" not in text and text.isascii():
        return text
    return _MONEY.sub(lambda found: f"{found['sum']} {found.lastgroup}", text)


def is_unit(word: str) -> bool:
    """Whether a word is a unit of measure, by name in any case or by symbol."""
    return word in _SYMBOLS or word.lower().rstrip(".") in _PLURAL


def is_named_unit(word: str) -> bool:
    """Whether a word is the name of a unit, and not a symbol that a product of letters could be."""
    return len(word) > 2 and word.lower() in _PLURAL


_U = r"(?:\\(?:mu|Omega)(?![A-Za-z])\s?|[A-Za-zΩµμ])+"
_POWER = r"(?:\s?\^\s?(?:\{\s?-?\d\s?\}|-?\d)|[²³])?"
_EXPRESSION = re.compile(
    rf"(?P<value>.*[\d}})])(?P<gap>[\s~]*)(?P<unit>{_U}{_POWER}(?:\s?(?:/|\\cdot|\\times|\*|\bper\b|\s)\s?{_U}{_POWER})*)[\s.]*\Z",
    re.DOTALL,
)
_UPRIGHT = re.compile(r"\\(?:mathrm|text|textrm|rm|mbox|mathsf|hbox|operatorname|textit)\s*\{([^{}]*)\}")
_PART = re.compile(r"\\?[A-Za-zΩµμ]+")
_DEGREES = re.compile(
    r"(\^\s*\{?\s*\\circ\s*\}?|\\degree)\s*(?:\\(?:mathrm|text|textrm|mbox)\s*\{\s*[CFK]\s*\}|[CFK](?![A-Za-z]))"
)
_ORDINAL = re.compile(
    r"(?<![\d.])(\d+)[\s-]?(?:\^\s?)?\{?\s?(?:\\(?:text|mathrm|rm|textrm|mbox)\s?\{\s?)?(?:st|nd|rd|th)(?![A-Za-z])\s?\}{0,2}"
)
_NAME = re.compile(r"\\?[A-Za-z]+(?:_(?:\w|\{\w+\}))?'*|\\(?:angle|overline|text|mathrm)\s*\{?\s*[A-Za-z ]+\}?")


_DIVISOR = re.compile(r"(?<=/)\s?\(([^()]*)\)")  # J/(mol K)
_DOTTED = re.compile(r"(?<=\d)\s?([A-Za-zΩµμ]{1,3}(?:[·⋅][A-Za-zΩµμ]{1,3}(?:[²³]|\^-?\d)?)+)(?=[\s.,]|\Z)")


def _without_brackets(divisor: re.Match[str]) -> str:
    return divisor[1]


def with_dotted_units(text: str) -> str:
    """Units joined by a raised dot as one \\text: 20 N·m. In LaTeX, N \\cdot m may be a product."""
    if text.isascii():
        return text
    return _DOTTED.sub(lambda found: _joined_units(found[1]) or found[0], text)


def _joined_units(written: str) -> str | None:
    parts = _PART.findall(written)
    return rf" \text{{ {' '.join(parts)} }}" if all(map(is_unit, parts)) else None


_OHM = re.compile(r"(?<=\d)[\s~]*[kM]?\\Omega\s*\Z")


def with_unit_in_words(text: str) -> str:
    """A value with its unit as one \\text: 12\\,\\mathrm{m/s}, 12 \\mathrm{~m} / \\mathrm{s}, 5 m/s^2, 18^\\circ C.

    Letters in an ordinary font are a unit only when they are joined by a stroke, so that 12x stays a product.
    """
    if "circ" in text or "degree" in text:
        text = _DEGREES.sub(r"\1", text)
    text = _OHM.sub("", text)
    if not _UPRIGHT.search(text) and "/" not in text and "µ" not in text:
        return text
    level = _UPRIGHT.sub(lambda m: f" {_DIVISOR.sub(_without_brackets, m[1])} ", text).replace("~", " ")
    match = _EXPRESSION.fullmatch(level.rstrip())
    if match is None or (
        "/" in match["unit"]
        and not re.fullmatch(r"\s*[-+]?\s*[\d.,]+\s*|.*[})\s]", match["value"] + match["gap"], re.DOTALL)
    ):
        return text
    unit = re.sub(r"\\mu\s*|µ|μ", "u", re.sub(r"\\(?:cdot|times)", " ", match["unit"]))
    parts = [p.lstrip("\\") for p in _PART.findall(unit)]
    symbols = [p for p in parts if p != "per"]
    if not symbols or not all(is_unit(p) for p in symbols) or match["value"].count("{") != match["value"].count("}"):
        return text
    if not _UPRIGHT.search(text[len(match["value"]) - 1 :]) and not re.search("[/µ]", match["unit"]):
        return text
    if re.search(r"[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+", "", match["value"])):
        return text
    return f"{match['value']} \\text{{ {' '.join(symbols)} }}"


_CLOCKED = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s?(h|hr|hrs|m|min|ft)\.?,?\s?(\d+(?:\.\d+)?)\s?(m|min|mins|s|sec|secs|in)\.?\Z"
)
_WORDED = re.compile(r"\s*\\(?:text|mathrm|mbox)\s?\{\s*(h|hr|hrs|m|min|mins|s|sec|secs|ft|in)\.?\s*\}\s*")
_FEET = re.compile(
    r"\s*\$?(\d{1,9})\s?(?:'|′|\^\{?\\prime\}?)\s?(\d{1,9}(?:\.\d+)?)\s?(?:\"|″|''|′′|\^\{?\\prime\\prime\}?)\$?\s*"
)
_PAIRS = {("h", "m"): ("hours", "minutes"), ("m", "s"): ("minutes", "seconds"), ("f", "i"): ("feet", "inches")}


def with_parts_in_words(text: str) -> str:
    """A measure of two units in short, 3 h 20 min or 5'6\", with their names."""
    if len(text) > 40 or not text[:1].isdigit():
        return text
    feet = _FEET.fullmatch(text)
    if feet is not None:
        return rf"{feet[1]} \text{{ feet }} {feet[2]} \text{{ inches }}"
    found = _CLOCKED.fullmatch(_WORDED.sub(r" \1 ", text).strip())
    names = _PAIRS.get((found[2][0], found[4][0])) if found else None
    return rf"{found[1]} \text{{ {names[0]} }} {found[3]} \text{{ {names[1]} }}" if found and names else text


def without_ordinal(text: str) -> str:
    """7 for 7th, where that is all."""
    match = _ORDINAL.match(text)
    return text[: match.end(1)] + text[match.end() :] if match is not None and match[1] else text


def value_of_approximation(text: str) -> str:
    """What "x \\approx 27" states: a name gets the value to its digits; an exact side before the sign stays what counts."""
    for sign in (r"\approx", r"\simeq", r"\cong", r"\doteq"):
        left, found, right = text.partition(sign)
        if found and not right[:1].isalpha():
            name = left.strip().removesuffix("=").strip()
            if not name or (_NAME.fullmatch(name) and name not in ("\\pi", "pi", "e", "i")):
                return right.strip()
            return text
    return text


_FRACTION = re.compile(r"\s*(?:(\d{1,30})\s*/\s*(\d{1,30})|\\[dt]?frac\s*\{(\d{1,30})\}\{(\d{1,30})\})\s*")
_PERCENT = re.compile(r"\s*([\d.]+)\s*(\\?%)?\s*")
_QUANTITY = re.compile(r"([\d.]+)\s*\\text\{ (\w+) \}")
_SECONDS = {
    "second": 1,
    "sec": 1,
    "s": 1,
    "minute": 60,
    "min": 60,
    "hour": 3_600,
    "hr": 3_600,
    "h": 3_600,
    "day": 86_400,
    "week": 604_800,
}


def is_same_measure(first: str, second: str) -> bool:
    """Whether two values are one in two forms: 0.08 or 8%, 225 minutes or 3 hours 45 minutes."""
    shares = [_PERCENT.fullmatch(v) for v in (first, second)]
    if shares[0] and shares[1] and bool(shares[0][2]) != bool(shares[1][2]):
        amounts = [_amount(m[1]) / (100 if m[2] else 1) for m in shares if m]
        return amounts[0] == amounts[1]
    fractions = [_FRACTION.fullmatch(v) for v in (first, second)]
    for fraction, share in zip(fractions, reversed(shares), strict=True):
        if fraction and share and not share[2] and int(fraction[2] or fraction[4]):
            return Fraction(int(fraction[1] or fraction[3]), int(fraction[2] or fraction[4])) == _amount(share[1])
    times = [_seconds(first), _seconds(second)]
    return times[0] is not None and times[0] == times[1]


def _amount(digits: str) -> Fraction:
    return Fraction(digits) if re.fullmatch(r"\d{1,50}(?:\.\d{1,50})?|\.\d{1,50}", digits) else Fraction(-1)


def _seconds(text: str) -> Fraction | None:
    """The seconds that a time in words lasts; None for anything else."""
    parts = _QUANTITY.findall(text)
    if not parts or _QUANTITY.sub("", text).replace("and", "").strip(" ,"):
        return None
    sizes = [_SECONDS.get(unit.lower(), _SECONDS.get(unit.lower().removesuffix("s"))) for _, unit in parts]
    return (
        None
        if None in sizes
        else sum((_amount(n) * size for (n, _), size in zip(parts, sizes, strict=True) if size), Fraction(0))
    )
