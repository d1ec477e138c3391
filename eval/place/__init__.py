"""Whether what was measured lies in the right place: the rule, its chance rate, and what gains are worth by it."""
