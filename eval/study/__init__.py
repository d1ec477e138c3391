"""Studies: many runs of the same samples that differ in what is declared, asked side by side, compared afterwards."""
