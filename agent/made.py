"""Conditions that are made from another arm's answers to the same samples; they live in studies only."""

__all__ = ["MATCHED", "RESULT_ONLY"]

MATCHED = ("matched", "matched:mean")
"""Several answers make one: their number is settled by sample, or by the mean over all samples."""
RESULT_ONLY = "result-only"
"""The results of the other arm's tools stand beside the question."""
