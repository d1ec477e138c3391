"""Offline models: short written policies instead of weights."""
