"""What a run is asked with, in one typed model, and the identity that follows from it."""
