"""Was the measurement made in the right place? The rule, its chance rate, and the gains by place."""
