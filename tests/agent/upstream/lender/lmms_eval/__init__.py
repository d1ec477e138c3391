"""Part of a stand-in for MedVision's package."""
