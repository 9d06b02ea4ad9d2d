"""classify: one label, or several, for a sentence or a text."""
