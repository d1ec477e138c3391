"""MedVision's published results, by version, and runs compared with them."""
