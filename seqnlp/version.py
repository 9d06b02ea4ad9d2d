"""The version, in a file that imports nothing: setup.py reads it without the requirements."""

__version__ = "0.1.0"
