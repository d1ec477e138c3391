"""Stands in for MedVision's data package, of which the evaluator imports three functions that draw."""
