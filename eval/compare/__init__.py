"""Two arms over the same samples: whether they may be compared, and what the difference is."""
