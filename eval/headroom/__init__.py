"""Headroom: what stored answers would score with exact arithmetic, with the true points, and with both."""
