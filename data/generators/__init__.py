"""The generators of the corpora in data/; `make.py` calls them and writes what they return."""
