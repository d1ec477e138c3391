"""Categories that a measurement decides, and how far stated numbers lead to the same ones as the ground truth."""
