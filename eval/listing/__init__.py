"""Lists the runs and studies in a folder, one row each: what was asked, progress, cost, loss."""
