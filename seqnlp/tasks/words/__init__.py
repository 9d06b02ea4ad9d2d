"""Words: what the tasks share that read a text word by word."""
