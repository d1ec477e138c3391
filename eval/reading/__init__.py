"""Responses read by a second reader, a language model, beside the rule of the protocol; both readings are kept."""
