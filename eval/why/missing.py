"""Why something cannot be said of a sample: a counted reason, never a silent gap."""

from enum import StrEnum

__all__ = ["Missing"]


class Missing(StrEnum):
    """A reason why an answer is not decomposed."""

    NO_ANSWER = "the model gave no answer"
    NO_NUMBERS = "the answer does not parse"
    TOO_LARGE = "a number of the answer is beyond 1e12"
    NO_PICTURE = "the picture as sent is not stored"
    NO_SIZE = "the picture was reshaped, and its native size is not known"
    NO_VIEWS = "the views of the calls cannot be rebuilt"
    WITHHELD = "what the tools measured was withheld (blind)"
    TOO_FEW = "fewer measurements than numbers in the answer"
    NO_POINTS = "nothing was measured and no points are stated"
    UNCLEAR_POINTS = "the points stated are not exactly those of the task"
    SEVERAL_VIEWS = "points are stated where there are several views"
    SAME_POINTS = "two points of a line coincide"
