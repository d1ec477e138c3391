"""Reports: the results of stored runs and studies on one page; every number is computed once, in ``collect``."""
