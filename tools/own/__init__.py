"""Help for writing your own tool: a skeleton to start from, and a check that a tool keeps its promises."""
