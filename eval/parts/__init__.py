"""The loss in parts: what each answer would have cost if part of it had been right."""
