"""Reads MedVision's annotation plans, landmark files and volumes from disk, without MedVision's code."""
