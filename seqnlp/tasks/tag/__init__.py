"""tag: one tag for each token: names, parts of speech, chunks, slots."""
