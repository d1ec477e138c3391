"""MedVision's summaries of groups of samples, and our sound figures."""
