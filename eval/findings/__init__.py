"""The findings of a comparison or a study: a few sentences, one table, the caveats."""
