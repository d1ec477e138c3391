"""Sentences of the stand-in's prompts."""

FORM = "Reply with <answer>numbers</answer>."
