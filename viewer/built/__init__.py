"""The viewer's page, built from the sources in ``viewer/``; the browser gets these files as they are."""
