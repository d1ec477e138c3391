"""What a model can call, and the views it all works on.

A tool never knows of tasks or of the ground truth; this layer imports nothing of the layers above it.
"""
