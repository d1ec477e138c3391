"""What is kept of a run: identity, settings, samples, records, traces, pictures."""
