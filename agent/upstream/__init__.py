"""A model of MedVision's own package behind chat completions, in the environment where that package is installed."""
