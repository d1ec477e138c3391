"""How well the numbers that a model states agree with the ground truth."""
