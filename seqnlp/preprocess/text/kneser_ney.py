"""N-grams: how probable a token is by the few before it, by modified Kneser-Ney (Chen & Goodman 1998, section 4.1.6).

An n-gram is known by a hash of 64 bits and has two numbers: its share, the discounted count as a part of its context's,
and its backoff, what it leaves to shorter contexts where it is the context itself. The empty n-gram is the context of
single tokens; what that leaves is shared out evenly to the vocabulary. So with h = h' without its first token

    p(token | h) = share(h token) + backoff(h) p(token | h')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

EMPTY = np.uint64(0x9E3779B97F4A7C15)  # the key of no token at all
FACTOR = np.uint64(0xD1342543DE82EF95)
WHOLE = 2  # of longer n-grams those are left out that occur once: they are most of all, and dev is foreseen no worse
PIECE = 1 << 18  # tokens of a text that are looked up at a time
STEPS = 5  # kinds of contexts of a length, by what they leave to shorter ones


@dataclass(frozen=True)
class NGrams:
    """The n-grams of a text, up to `order` tokens."""

    keys: np.ndarray  # (G,) uint64, sorted
    share: np.ndarray  # (G,) float32
    backoff: np.ndarray  # (G,) float32, 1 where nothing is known to follow
    order: int
    vocabulary: int

    def probabilities(self, text: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each token of a text (N,) but the first its probability, and what kind of context it has.

        before: (N - 1,), how many tokens before it may be looked at, 1 at least.
        """
        pieces = []
        for start in range(0, len(before), PIECE):
            begin, end = max(start - self.order, 0), min(start + PIECE, len(before))
            seen = np.minimum(before[begin:end], np.arange(1, end - begin + 1))
            pieces.append([column[start - begin :] for column in self._piece(text[begin : end + 1], seen)])
        found, kinds = (np.concatenate(column) for column in zip(*pieces, strict=True))
        return found, kinds

    def _piece(self, text: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `probabilities` gives, at once: it takes a hundred bytes a token."""
        found = np.full(len(before), 1 / self.vocabulary)
        known, leaves = np.zeros(len(before), dtype=np.int64), np.ones(len(before))
        for length in range(min(self.order, len(text))):
            places = np.flatnonzero(before >= length)
            contexts = windows(text[:-1], length)[places - max(length - 1, 0)]
            left = self._look(self.backoff, contexts, 1.0)
            found[places] = self._look(self.share, longer(contexts, text[places + 1]), 0.0) + left * found[places]
            seen = left < 1
            known[places[seen]], leaves[places[seen]] = length, left[seen]
        return found, _kind(known, leaves)

    def distribution(self, before: Sequence[int]) -> tuple[np.ndarray, int]:
        """Return the probabilities of all tokens (V,) after those `before`, one at least, and what kind these are."""
        contexts = endings(before, self.order - 1)
        left = self._look(self.backoff, contexts, 1.0)
        known = int(np.cumprod(left < 1).sum())  # of longer ones than an unknown one nothing is known either
        share = self._look(self.share, longer(contexts[:known, None], np.arange(self.vocabulary)), 0.0)  # (known, V)
        found = np.full(self.vocabulary, 1 / self.vocabulary)
        for own, rest in zip(share, left, strict=False):
            found = own + rest * found
        return found, int(_kind(np.array(known - 1), left[known - 1]))

    def _look(self, values: np.ndarray, keys: np.ndarray, otherwise: float) -> np.ndarray:
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found: np.ndarray = np.where(self.keys[places] == keys, values[places], otherwise).astype(np.float64)
        return found


def _kind(known: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """The kind of a context by the length of its part that is known, and by what that leaves to shorter ones."""
    found: np.ndarray = known * STEPS + np.minimum(leaves * STEPS, STEPS - 1).astype(np.int64)
    return found


def kinds(order: int) -> int:
    """Return how many kinds of contexts n-grams up to an order have."""
    return order * STEPS


def longer(keys: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Return the keys of n-grams with a token behind each."""
    with np.errstate(over="ignore"):
        return keys * FACTOR + tokens.astype(np.uint64) + np.uint64(1)


def windows(text: np.ndarray, length: int) -> np.ndarray:
    """Return the keys of all n-grams of a length in a text (N,), (N - length + 1,); of the length 0, (N,)."""
    keys = np.full(len(text) - max(length - 1, 0), EMPTY)
    for place in range(length):
        keys = longer(keys, text[place : place + len(keys)])
    return keys


def endings(text: Sequence[int], most: int) -> np.ndarray:
    """Return the keys of the last n-grams of a text, of 0, 1, 2 and so on to `most` tokens, (L,)."""
    keys = []
    for length in range(min(most, len(text)) + 1):
        key = int(EMPTY)
        for token in text[len(text) - length :]:
            key = (key * int(FACTOR) + token + 1) % 2**64
        keys.append(key)
    return np.array(keys, dtype=np.uint64)


# Fitting


def fit(text: np.ndarray, order: int, vocabulary: int) -> NGrams:
    """Return the n-grams of a text (N,), of a token at least.

    A count is how often an n-gram of the highest order occurs; of lower ones in how many contexts.
    """
    own: Mapping[str, np.ndarray] = {"keys": EMPTY.reshape(1), "share": np.zeros(1), "backoff": np.ones(1)}
    levels = [own]
    for length in range(1, min(order, len(text)) + 1):
        own = _level(text, length, highest=length == min(order, len(text)), contexts=own)
        if not len(own["keys"]):  # all are left out, and so would be all longer ones
            break
        levels.append(own)
    keys, share, backoff = (np.concatenate([level[name] for level in levels]) for name in levels[0])
    sort = np.argsort(keys)
    return NGrams(keys[sort], share[sort].astype(np.float32), backoff[sort].astype(np.float32), order, vocabulary)


def _level(
    text: np.ndarray, length: int, *, highest: bool, contexts: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The n-grams of a length; those of one token less learn what they leave as contexts."""
    keys, first, occurrences = np.unique(windows(text, length), return_index=True, return_counts=True)
    counts = occurrences if highest else _continuations(text, length, keys)
    before = windows(text, length - 1)[first]
    place = np.minimum(np.searchsorted(contexts["keys"], before), len(contexts["keys"]) - 1)
    inside = contexts["keys"][place] == before
    total = np.bincount(place[inside], counts[inside], len(contexts["keys"]))
    share = (counts - _discounts(counts)) / np.maximum(total[place], 1)
    kept = inside & ((occurrences > 1) | (length <= WHOLE))
    np.subtract.at(contexts["backoff"], place[kept], share[kept])
    return {"keys": keys[kept], "share": share[kept], "backoff": np.ones(int(kept.sum()))}


def _continuations(text: np.ndarray, length: int, keys: np.ndarray) -> np.ndarray:
    """In how many contexts of one token each n-gram occurs; the text's first is taken to have one."""
    _, first = np.unique(windows(text, length + 1), return_index=True)
    found, number = np.unique(windows(text, length)[first + 1], return_counts=True)
    counts = np.ones(len(keys), dtype=np.int64)
    counts[np.searchsorted(keys, found)] = number
    return counts


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What is taken off each count, by how many n-grams have each (Chen & Goodman 1998, equation 26).

    Few n-grams may have counts of which the formula makes more than there is, or nothing: it is kept off both ends.
    """
    number = np.bincount(np.minimum(counts, 5), minlength=6)
    share = number[1] / (number[1] + 2 * number[2]) if number[1] else 0.5
    taken = np.zeros(4)
    for count in (1, 2, 3):
        more = number[count + 1] / number[count] if number[count] else 0.5
        taken[count] = np.clip(count - (count + 1) * share * more, 0.1, count - 0.1)
    discounts: np.ndarray = taken[np.minimum(counts, 3)]
    return discounts
