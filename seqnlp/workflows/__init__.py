"""Workflows: what the commands and the Python interface do, each from beginning to end."""
