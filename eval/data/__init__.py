"""What is asked: samples, the sources they come from, and which of them are selected."""
