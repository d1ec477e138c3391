"""The summary of a run: measures by task, their means, one row per sample."""
