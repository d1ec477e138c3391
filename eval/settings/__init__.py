"""The settings of a run in one typed model, and the run's identity derived from them."""
