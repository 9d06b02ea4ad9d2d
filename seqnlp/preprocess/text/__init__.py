"""Text: from strings to the numbers that a network reads, and back."""
