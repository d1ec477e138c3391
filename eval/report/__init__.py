"""Reports: what stored runs and studies show, as one page, with every number computed once, in ``collect``."""
