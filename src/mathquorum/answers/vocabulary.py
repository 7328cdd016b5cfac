"""The words of answers: functions, Greek letters, units, multipliers, and phrases that mean one thing."""

from __future__ import annotations

__all__ = [
    "BLOCKERS",
    "FRACTIONS",
    "FUNCTIONS",
    "GREEK",
    "MULTIPLIERS",
    "NUMBER_WORDS",
    "PHRASES",
    "SHORT_WORDS",
    "TENS",
    "UNITS",
    "UNIT_NAMES",
    "VERBS",
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
    "none": "no solution",
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
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}

# The denominators that words name: 3 halves, two thirds.
FRACTIONS: dict[str, int] = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "fourth": 4, "fourths": 4, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5,
    "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
    "eleventh": 11, "elevenths": 11, "twelfth": 12, "twelfths": 12, "sixteenth": 16, "sixteenths": 16, "twentieth": 20, "twentieths": 20,
    "hundredth": 100, "hundredths": 100, "thousandth": 1000, "thousandths": 1000, "millionths": 10**6,
}  # fmt: skip

_VERB_FORMS = """
is are was were be been becomes became equals has have had will would can could must should needs need needed makes make made takes
take took gets get got costs cost pays pay paid earns earn earned spends spend spent saves save saved sells sell sold buys buy bought
gives give gave leaves leave eats eat ate uses use used works work worked runs run ran walks walk walked drives drive drove travels
travel traveled travelled reads read writes write wrote wins win won scores scored receives receive received charges charge charged owes
owe owed contains contain holds hold held weighs weigh weighed lasts last lasted produces produce produced requires require required
remains remain remained gains gain gained loses lose lost collects collect collected drinks drink drank sees saw finds find found does do
did goes go went comes come came raises raised brings brought picks picked plants planted bakes baked fills filled covers covered
completes completed finishes finished starts started ends ended grows grew keeps kept donates donated delivers delivered attends attended
catches caught carries carried answers answered solves solved there it's that's he's she's they're lives lived sleeps slept stays stayed
waits waited watches watched plays played uses swims swam rides rode climbs climbed invites invited serves served adds added changes changed
shows show showed reads stands stood reaches reached measures measured gained lost owns owned buried passes passed fails failed
arrives arrived leaves returns returned joins joined orders ordered prints printed mixes mixed pours poured cuts cut sits sat
builds paints painted cooks cooked packs packed sends sent teaches taught visits visited borrows borrowed lends lent misses missed
practices practiced exercises exercised breaks broke throws threw hits hit digs dug stores stored empties emptied doubles tripled
fell rose decreased increased dropped increases decreases totals amounts budgeted invested invests hires hired builds built washes washed
"""
VERBS = frozenset(_VERB_FORMS.split())
