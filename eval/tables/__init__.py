"""Stored runs as flat tables for other programs: a row per sample, per turn, per tool call."""
