"""The viewer's server: for one person on this machine, over runs and studies that it only reads."""
