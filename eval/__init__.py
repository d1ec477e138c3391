"""What is asked and what came back: samples and sources, the runner, the store, the shared scorer."""
