"""One model in use, whatever its provider: what is sent to it and how its replies are read."""
