"""The words a model reads, one template file each, and the function that renders them; tools speak for themselves."""
