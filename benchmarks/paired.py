"""Differences between pairs of runs, one pair for each seed: intervals and tests by Student's t.

Accuracies and their differences are whole hundredths of a point, which is exact for 10,000 images; texts are in points.
Differences without spread are not tested, as in the program: their p is None.
"""

import math
import statistics


def difference(first, second):
    """Seed by seed, of the seeds that both have."""
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def two_sided_p(t, degrees):
    """P(|T| >= t) for Student's t with a whole number of degrees of freedom (Abramowitz and Stegun, 26.7.3 and 4)."""
    angle = math.atan(abs(t) / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(odd, degrees - 1, 2):  # of the cosine in this term
        total += term
        term *= cosine ** 2 * (power + 1) / (power + 2)
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1 - inside)


def quantile(degrees):
    """The t with P(|T| >= t) = 0.05."""
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, degrees) > 0.05 else (low, middle)
    return low


def interval(values):
    """Mean and its 95 % interval: (mean, low, high)."""
    half = quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.mean(values)
    return mean, mean - half, mean + half


def points(hundredths):
    text = f"{hundredths / 100:.2f}"
    return "0.00" if text == "-0.00" else text


def interval_text(values):
    """Mean and interval, as in "0.97 (0.53 to 1.42)"; 0 where every difference is."""
    if not any(values):
        return "0"
    mean, low, high = interval(values)
    return f"{points(mean)} ({points(low)} to {points(high)})"


def t_of(values, against):
    return (statistics.mean(values) - against) / (statistics.stdev(values) / math.sqrt(len(values)))


def p_of(values):
    """Two-sided p of the paired t test."""
    return two_sided_p(t_of(values, 0), len(values) - 1) if statistics.stdev(values) > 0 else None


def equal_p(values, margin):
    """p of two one-sided tests (TOST, Schuirmann 1987) for a mean within (-margin, margin)."""
    if statistics.stdev(values) == 0:
        return None

    def above(t):  # P(T >= t)
        half = two_sided_p(t, len(values) - 1) / 2
        return half if t > 0 else 1 - half
    return max(above(t_of(values, -margin)), above(-t_of(values, margin)))


def holm(ps):
    """p values corrected for the number of those that are not None (Holm 1979)."""
    tested = sorted((i for i, p in enumerate(ps) if p is not None), key=lambda i: ps[i])
    corrected, least = [None] * len(ps), 0.0
    for rank, index in enumerate(tested):
        least = max(least, min(1.0, ps[index] * (len(tested) - rank)))
        corrected[index] = least
    return corrected
