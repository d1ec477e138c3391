"""How samples are asked: recipe, launch, runner, limits of a run."""
