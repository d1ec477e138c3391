"""Serve models of MedVision's package by chat completions, in the environment where that package is installed."""
