"""What runs and studies a folder holds, each in one row: what was asked, how far it is, what it cost, its loss."""
