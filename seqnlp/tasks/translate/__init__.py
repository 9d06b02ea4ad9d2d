"""translate: from a sentence in one language to one in another, or from any sequence to any other."""
