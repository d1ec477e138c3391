"""Outlines of structures: how they are found, and how they are measured."""
