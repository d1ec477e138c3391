"""Results formatted for the terminal."""
