"""The figures of a report in one common style, drawn from plain data for web pages and for papers."""
