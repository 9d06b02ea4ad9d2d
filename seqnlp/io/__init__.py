"""Input and output: files and streams as text, files that are written whole, work shared among processes."""
