"""lm: language models, what comes next in a text."""
