"""Conditions that are built from another arm's answers to the same samples; for studies only."""

__all__ = ["ENLARGED", "MADE", "MATCHED", "MOST_DRAWS", "RESULT_ONLY", "THINKING"]

MATCHED = ("matched", "matched:mean")
"""Several answers are combined: their number is set per sample, or by the mean over all samples."""
THINKING = "matched:thinking"
"""One answer, which may take as many tokens of thinking as the other arm spent on average."""
ENLARGED = "matched:enlarged"
"""One answer to the image enlarged to the pixels that the other arm was shown."""
RESULT_ONLY = "result-only"
"""One answer to the question with the results of the other arm's tools beside it."""
MADE = {
    "matched": "none, answers drawn until they cost what arm `on` spent on the sample",
    "matched:mean": "none, as many answers drawn to every sample as cost what arm `on` spent on average",
    THINKING: "none, as many tokens of thinking allowed as arm `on` spent on average",
    ENLARGED: "none, image enlarged to the pixels that arm `on` was shown",
    RESULT_ONLY: "none, own results of arm `on` handed back",
}
"""The text in a summary about each condition's tools."""
MOST_DRAWS = 64
"""Maximum number of answers drawn for a sample; the samples that reach this number are counted."""
