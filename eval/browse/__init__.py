"""Stored runs and studies as the viewer's page reads them: typed forms, and what makes them of a store."""
