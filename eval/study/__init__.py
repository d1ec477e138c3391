"""Studies: several runs of the same samples that differ only in what is declared; asked side by side, then compared."""
