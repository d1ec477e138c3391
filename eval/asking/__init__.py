"""Asking samples: recipe, launch, runner and limits of a run."""
