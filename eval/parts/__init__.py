"""The loss in parts: what each answer would have cost, had a part of it been right."""
