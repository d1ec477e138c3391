"""Conditions that are made from another arm's answers to the same samples; they live in studies only."""

__all__ = ["ENLARGED", "MADE", "MATCHED", "MOST_DRAWS", "RESULT_ONLY", "THINKING"]

MATCHED = ("matched", "matched:mean")
"""Several answers make one: their number is settled by sample, or by the mean over all samples."""
THINKING = "matched:thinking"
"""One answer, which may take as many tokens of thinking as the other arm spent on average."""
ENLARGED = "matched:enlarged"
"""One answer to the image enlarged to the pixels that the other arm was shown."""
RESULT_ONLY = "result-only"
"""The results of the other arm's tools stand beside the question."""
MADE = {
    "matched": "none, answers drawn until they cost what arm `on` spent on the sample",
    "matched:mean": "none, as many answers drawn to every sample as cost what arm `on` spent on average",
    THINKING: "none, as many tokens of thinking allowed as arm `on` spent on average",
    ENLARGED: "none, image enlarged to the pixels that arm `on` was shown",
    RESULT_ONLY: "none, own results of arm `on` handed back",
}
"""What a summary says of their tools."""
MOST_DRAWS = 64
"""Answers drawn to a sample at most; how many samples got there is counted."""
