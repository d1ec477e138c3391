"""What MedVision published, by version, and a run beside it."""
