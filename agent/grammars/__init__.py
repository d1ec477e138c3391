"""Tool calls written into the text of a reply: reading values, shapes of calls, and where a text holds them."""
