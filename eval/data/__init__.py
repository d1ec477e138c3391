"""Samples (the questions), the sources they come from, and the selection of samples for a run."""
