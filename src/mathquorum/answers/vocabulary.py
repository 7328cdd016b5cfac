"""The words of answers: functions, Greek letters, units, multipliers, and phrases that mean one thing."""

from __future__ import annotations

__all__ = [
    "BLOCKERS",
    "FUNCTIONS",
    "GREEK",
    "MULTIPLIERS",
    "NUMBER_WORDS",
    "PHRASES",
    "SHORT_WORDS",
    "UNITS",
    "UNIT_NAMES",
]

_FUNCTIONS = """
sin cos tan cot sec csc sinh cosh tanh asin acos atan acot log ln exp sqrt cbrt
gcd lcm max min binom abs floor ceil sum prod int lim frac cis
"""
FUNCTIONS: dict[str, tuple[str, str]] = {
    **{name: ("f", name) for name in _FUNCTIONS.split()},
    "lg": ("f", "log"), "gcf": ("f", "gcd"), "factorial": ("f", "fact"), "binomial": ("f", "binom"), "ceiling": ("f", "ceil"),
    "arcsin": ("f", "asin"), "arccos": ("f", "acos"), "arctan": ("f", "atan"), "arccot": ("f", "acot"),
    "pi": ("v", "pi"),
    "infty": ("c", "infty"), "infinity": ("c", "infty"), "inf": ("c", "infty"), "oo": ("c", "infty"),
}  # fmt: skip

_GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
"""
GREEK: dict[str, str] = {
    **{name: name for name in _GREEK.split()},
    "varphi": "phi",
    "varepsilon": "epsilon",
    "vartheta": "theta",
    "varrho": "rho",
}

MULTIPLIERS: dict[str, int] = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}

_UNITS = """
unit units sq square cubic cu cm mm km dm nm um ft feet foot inch inches yd yard yards mile miles mi meter meters
metre metres centimeter centimeters centimetre centimetres millimeter millimeters kilometer kilometers kilometre
kilometres mph kph kmh mps liter liters litre litres ml milliliter milliliters gallon gallons quart quarts pint
pints cup cups ounce ounces oz lb lbs pound pounds gram grams kg kgs kilogram kilograms mg gm gms ton tons tonnes
second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months year years yr
yrs degree degrees deg radian radians rad percent pct percentage dollar dollars cent cents usd euro euros yuan
rupee rupees peso pesos bucks people person students student apples apple ways way integers integer numbers number
solutions multiples points point pieces items hz volts watts joules newtons amps acre acres hectare hectares
dozen dozens pairs pair times sets marbles balls books coins cards children tickets eggs oranges cookies
per each total
"""
UNITS = frozenset(_UNITS.split())

# Two and three letters that are English, not a product of variables.
_SHORT_WORDS = """
is are the an of in to no yes if so we it by as at be do for not has let all any one two six ten per day was and but can
his her she you mon tue wed thu fri sat sun odd out set nan red tan may jan feb mar apr jun jul aug sep oct nov dec dne
non him off old own low big new
"""
SHORT_WORDS = frozenset(_SHORT_WORDS.split())

# Words that change what a number says: "less than 10" is not 10.
_BLOCKERS = """
less more than least most not no none never cannot greater fewer above below between approximately exceed exceeds
impossible insufficient undefined infinite infinitely many every multiple if unless except without unknown undetermined
variable depends depend mod modulo remainder odd even
"""
BLOCKERS = frozenset(_BLOCKERS.split())

PHRASES: dict[str, str] = {
    "no solution": "no solution",
    "no solutions": "no solution",
    "no real solution": "no solution",
    "no real solutions": "no solution",
    "there no solution": "no solution",
    "there are no solutions": "no solution",
    "empty set": "no solution",
    "doesnt exist": "does not exist",
    "dne": "does not exist",
    "not defined": "undefined",
    "infinitely many solutions": "infinitely many",
    "infinite": "infinitely many",
    "infinite solutions": "infinitely many",
}

_UNIT_NAMES = """
cm centimeter centimeters centimetre centimetres | mm millimeter millimeters millimetre millimetres
| m meter meters metre metres | km kilometer kilometers kilometre kilometres | ft foot feet | in inch inches
| yd yard yards | mi mile miles | kg kgs kilogram kilograms | g gram grams gm gms | lb lbs pound pounds
| oz ounce ounces | l liter liters litre litres | ml milliliter milliliters | h hr hrs hour hours
| min mins minute minutes | s sec secs second seconds | degree degrees deg | percent pct
"""
# One name for the spellings of a unit.
UNIT_NAMES = {word: row.split()[0] for row in _UNIT_NAMES.split("|") for word in row.split()}

_NUMBER_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
NUMBER_WORDS = {word: number for number, word in enumerate(_NUMBER_WORDS.split())}
