"""The summary of a run: measures by task, their means, and one row per sample."""
