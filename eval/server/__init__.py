"""The viewer's server: for this machine and one person alone, over runs and studies that it only reads."""
