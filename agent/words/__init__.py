"""A question and the words it is put into."""
