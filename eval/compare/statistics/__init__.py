"""Statistics of paired arms: one estimand, one interval, and the reasons why there is none."""
