"""MedVision's own data: its annotation plans, landmark files and volumes as they lie on disk, read without its code."""
