"""summarize: from a document to what it says in fewer words, some of them its own."""
