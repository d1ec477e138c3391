"""Why an answer is wrong: its error in parts, landmark errors, and the model's behaviour."""
