"""Answers made elsewhere: reading result files and summarising them as MedVision does."""
