"""Statistics of paired arms: one estimand, one interval, and the reasons if the interval is missing."""
