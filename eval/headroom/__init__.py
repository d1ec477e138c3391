"""Headroom: the loss that stored answers would have with exact arithmetic, with the true points, and with both."""
