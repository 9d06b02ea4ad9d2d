"""Bitext: the subwords, and the tokenisation to score by, that suit a corpus of sentences and translations; lengths."""

from __future__ import annotations

import collections
import functools
from dataclasses import dataclass

from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import subword, tokenizer

ALIKE = 0.5  # proportion of characters in common from which on two languages have a joint vocabulary

Both = tuple[tokenizer.Tokenizer, tokenizer.Tokenizer]


def settled(corpus: examples.Examples) -> tuple[str, int]:
    """Return whether the two sides are to have a joint vocabulary or separate ones, and of how many pieces."""
    letters: tuple[collections.Counter[str], ...] = (collections.Counter(), collections.Counter())
    words = 0
    for one in corpus:
        for counter, side in zip(letters, (one.source, one.target), strict=True):
            counter.update(side)
            words += side.count(" ") + 1
    totals = [sum(counter.values()) for counter in letters]
    alike = sum(min(letters[0][c] / totals[0], letters[1][c] / totals[1]) for c in letters[0])
    return "joint" if alike >= ALIKE else "separate", subword.size(words)


def trained(corpus: examples.Examples, *, joint: bool, kind: str, size: int, normalization: str) -> Both:
    """Return a tokenizer of each side, the same one if joint."""
    train = functools.partial(subword.train, kind=kind, size=size, normalization=normalization)
    if joint:
        both = train(side for one in corpus for side in (one.source, one.target))
        return both, both
    return train(one.source for one in corpus), train(one.target for one in corpus)


@dataclass(frozen=True)
class Lengths:
    """Pieces of the longest source, of the targets for each of the sources; pairs with more than that, and without."""

    longest: int
    ratio: float
    left_out: int
    kept: int


def lengths(corpus: examples.Examples, source: tokenizer.Tokenizer, target: tokenizer.Tokenizer, limit: int) -> Lengths:
    """Return the lengths of the pairs that have at most `limit` pieces on either side."""
    longest, left_out, kept = 1, 0, 0
    totals = [0, 0]
    for one in corpus:
        sizes = [len(source.encode([one.source])[0]), len(target.encode([one.target])[0])]
        if max(sizes) > limit:
            left_out += 1
            continue
        kept += 1
        longest = max(longest, sizes[0])
        totals = [total + size for total, size in zip(totals, sizes, strict=True)]
    return Lengths(longest, round((totals[1] + 1) / (totals[0] + 1), 4), left_out, kept)


def tokenization(corpus: examples.Examples) -> str:
    """Return BLEU's tokenisation for the targets: by characters where there are no blanks between words."""
    seen = collections.Counter(c for _, one in zip(range(1000), corpus, strict=False) for c in one.target)
    han = sum(number for c, number in seen.items() if "\u3400" <= c <= "\u9fff")
    kana = sum(number for c, number in seen.items() if "\u3040" <= c <= "\u30ff")
    if 2 * (han + kana) < sum(seen.values()):
        return "13a"
    return "char" if kana > han / 10 else "zh"
