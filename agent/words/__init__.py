"""A question and its prompt."""
