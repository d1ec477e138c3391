"""Stored runs as a folder or a data set that others may read: card, tables, images whose licence is known."""
