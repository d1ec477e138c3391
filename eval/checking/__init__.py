"""What is wrong with samples before anybody is asked: small checks, one file each, and the walk that applies them."""
