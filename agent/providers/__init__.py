"""The interfaces of providers, one file or folder each, and the factory that opens a model by its row."""
