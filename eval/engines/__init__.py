"""Other processes that ask samples for the one that writes the run."""
