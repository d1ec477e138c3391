"""What helps to write a tool of one's own: a skeleton to start from, and a check of what a tool promises."""
