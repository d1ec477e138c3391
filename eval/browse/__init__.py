"""Stored runs and studies in the forms that the viewer's page reads, and the code that makes these from a store."""
