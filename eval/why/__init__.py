"""Why an answer is wrong, not only whether: its error in parts, landmark errors, and how a model behaved."""
