"""What a comparison or a study found: one sentence, one table, the caveats."""
