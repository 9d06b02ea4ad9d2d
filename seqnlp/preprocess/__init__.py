"""Text to ids to batches, and back: the one way that every command and every task goes."""
