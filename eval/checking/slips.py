"""Mistakes of the unit: the factor of ten by which a stated number differs from the expected one."""

import math

__all__ = ["slip"]

_FACTORS = {
    10.0: "the target is 10 times too long: is the pixel size in cm, or a decimal point in the wrong place?",
    0.1: "the target is 10 times too short: is the target in cm?",
    1000.0: "the target is 1,000 times too long: is the target in micrometres, or the pixel size in metres?",
    0.001: "the target is 1,000 times too short: is the target in metres, or the pixel size in micrometres?",
    100.0: "the target is 100 times too long: is the target or the pixel size in another unit than mm?",
    0.01: "the target is 100 times too short: is the target or the pixel size in another unit than mm?",
}
_CLOSE = 0.1
"""Relative difference up to which a ratio counts as a factor."""


def slip(stated: float, right: float) -> str:
    """Return a sentence about the power of ten by which a *stated* length differs from the *right* one, both in mm.

    Empty if the ratio is near none of 1/1000, 1/100, 1/10, 10, 100 and 1000.
    """
    if right <= 0:
        return ""
    for factor, words in _FACTORS.items():
        if math.isclose(stated / right, factor, rel_tol=_CLOSE):
            return words
    return ""
