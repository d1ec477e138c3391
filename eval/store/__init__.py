"""The stored form of a run: identity, settings, samples, records, traces, images."""
