"""Random numbers that depend on where they are used, not on what was drawn before.

A number is a hash of (seed, stream, index, second, draw). Two runs that differ in one respect, as
a fork without liquidation impact does, therefore meet the same noise wherever they still agree:
common random numbers. Logarithm and exponential are built from +, -, *, / and exact scaling alone
(the algorithms of fdlibm, Sun Microsystems 1993), because libraries differ in the last bit
and a market with feedback would carry that bit into its prices.
"""

import math
from hashlib import sha256

import numpy as np

from streams.simulation.compiled import compiled, inlined

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_NEAR_TOP = (
    *(2509.0809287301226727, 33430.575583588128105, 67265.770927008700853),
    *(45921.953931549871457, 13731.693765509461125, 1971.5909503065514427),
    *(133.14166789178437745, 3.387132872796366608),
)
_NEAR_LOW = (
    *(5226.495278852545925, 28729.085735721942674, 39307.89580009271061),
    *(21213.794301586595867, 5394.1960214247511077, 687.1870074920579083),
    *(42.313330701600911252, 1.0),
)
_FAR_TOP = (
    *(7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177),
    *(1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055),
    *(4.6303378461565452959, 1.42343711074968357734),
)
_FAR_LOW = (
    *(1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966),
    *(0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494),
    *(2.05319162663775882187, 1.0),
)
_END_TOP = (
    *(2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386),
    *(0.026532189526576123093, 0.29656057182650489123, 1.7848265399172913358),
    *(5.4637849111641143699, 6.6579046435011037772),
)
_END_LOW = (
    *(2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5),
    *(7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531),
    *(0.59983220655588793769, 1.0),
)


def rooted(name: str, seed: int) -> int:
    """The root of a run's noise: no two scenarios share theirs, though their seeds be equal."""
    return int.from_bytes(sha256(f"{name}/{seed}".encode()).digest()[:6], "big")


@inlined
def scrambled(word: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves every other."""
    word = (word ^ (word >> _S30)) * _FIRST
    word = (word ^ (word >> _S27)) * _SECOND
    return word ^ (word >> _S31)


@inlined
def key(seed: int, stream: int, index: int, second: int) -> np.uint64:
    """The key of all draws of one use (`stream`, `index`) in one second."""
    word = scrambled(np.uint64(seed) + _GOLDEN)
    word = scrambled(word + np.uint64(stream) * _GOLDEN)
    word = scrambled(word + np.uint64(index) * _GOLDEN)
    return scrambled(word + np.uint64(second) * _GOLDEN)


@inlined
def uniform(word: np.uint64, draw: int) -> float:
    """Draw number `draw` of a key, strictly between 0 and 1."""
    bits = scrambled(word + np.uint64(draw + 1) * _GOLDEN) >> _S11
    return (float(bits) + 0.5) * _UNIT


@compiled
def chance(seed: int, stream: int, index: int, second: int, draw: int = 0) -> float:
    """One uniform draw by its place, for callers outside compiled code."""
    return uniform(key(seed, stream, index, second), draw)


@inlined
def ln(x: float) -> float:
    """Natural logarithm of a positive finite number, error below 1 ulp."""
    part, power = math.frexp(x)
    if part < 0.7071067811865476:
        part *= 2.0
        power -= 1
    f = part - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    odd = z * (
        0.6666666666666735130
        + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )
    half = 0.5 * f * f
    rest = s * (half + even + odd) + power * _LN2_LOW
    return power * _LN2_HIGH - ((half - rest) - f)


@inlined
def exp(x: float) -> float:
    """Exponential for |x| < 700, error below 1 ulp; beyond, the value at the edge."""
    x = min(700.0, max(-700.0, x))
    power = math.floor(x * 1.4426950408889634 + 0.5)
    high = x - power * _LN2_HIGH
    low = power * _LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (
        0.1666666666666660190
        + t
        * (
            -0.002777777777701559338
            + t
            * (
                6.61375632143793436e-05
                + t * (-1.65339022054652515e-06 + t * 4.13813679705723846e-08)
            )
        )
    )
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    return math.ldexp(y, int(power))


@inlined
def power(x: float, exponent: float) -> float:
    """`x` to the power of `exponent`, for x >= 0."""
    return exp(exponent * ln(x)) if x > 0.0 else 0.0


@inlined
def polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    """A polynomial by Horner's rule; the coefficient of the highest power first."""
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


@compiled
def normal(u: float) -> float:
    """The standard normal quantile of `u` (Wichura 1988, AS 241), error about 1e-16."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * polynomial(r, _NEAR_TOP) / polynomial(r, _NEAR_LOW)
    r = math.sqrt(-ln(min(u, 1.0 - u)))
    if r <= 5.0:
        x = polynomial(r - 1.6, _FAR_TOP) / polynomial(r - 1.6, _FAR_LOW)
    else:
        x = polynomial(r - 5.0, _END_TOP) / polynomial(r - 5.0, _END_LOW)
    return x if q > 0.0 else -x


@compiled
def poisson(rate: float, word: np.uint64) -> int:
    """A Poisson number from one uniform; the normal approximation above a rate of 30."""
    u = uniform(word, 0)
    if rate <= 0.0:
        return 0
    if rate > 30.0:
        return max(0, math.floor(rate + math.sqrt(rate) * normal(u) + 0.5))
    chance = exp(-rate)
    total = chance
    count = 0
    while u > total and count < 200:
        count += 1
        chance *= rate / count
        total += chance
    return count
