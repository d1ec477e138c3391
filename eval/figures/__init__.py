"""The figures of a report: one look, a file for each figure, drawn from plain data for a page and for paper."""
