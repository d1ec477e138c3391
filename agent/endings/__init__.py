"""How one sample ended and what it used: its outcome, its tokens."""
