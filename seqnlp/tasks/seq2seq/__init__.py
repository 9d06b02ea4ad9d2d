"""What tasks from text to text share: an encoder, a decoder that attends to it, and searching with both."""
