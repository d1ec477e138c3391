"""Tool calls in the text of a reply: how to find them, and how to parse their names and arguments."""
