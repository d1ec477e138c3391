"""The shared MedVision scorer: turns a stored response into numbers, without knowing how it was made."""
