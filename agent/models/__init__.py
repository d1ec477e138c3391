"""Chat models by config: the catalogue, the providers, and the offline models."""
