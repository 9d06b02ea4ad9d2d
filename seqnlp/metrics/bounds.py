"""Bounds: of texts that are compared word by word with each other only so much is looked at."""

from __future__ import annotations

import logging
import unicodedata

from tokenizers import Regex, pre_tokenizers

log = logging.getLogger(__name__)


class Bound:
    """Cuts texts behind so many words; `cut` is how many were longer."""

    def __init__(self, word: str, words: int) -> None:
        """word: a pattern."""
        self._split = pre_tokenizers.Split(Regex(word), behavior="removed", invert=True)
        self.words, self.cut = words, 0

    def __call__(self, text: str) -> str:
        """Return the text, or its first words."""
        if len(text) <= self.words:
            return text
        text = unicodedata.normalize("NFC", text)
        words = self._split.pre_tokenize_str(text)
        if len(words) <= self.words:
            return text
        self.cut += 1
        return text[: words[self.words - 1][1][1]]

    def say(self, what: str) -> str:
        """Warn that texts were cut, and return what a signature says of it."""
        log.warning("%s: of %d texts only the first %d words are compared", what, self.cut, self.words)
        return f"words:{self.words}"
