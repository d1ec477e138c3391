"""Responses read by a second reader (a language model) in addition to the protocol's rule; both readings are kept."""
