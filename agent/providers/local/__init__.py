"""Models of the transformers library, run in this process (the extra ``local``)."""
