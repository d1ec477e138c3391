"""The shared MedVision scorer: how a stored response is turned into numbers. It never knows how it was made."""
