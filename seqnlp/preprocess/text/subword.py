"""Subword pieces learnt from text: byte-level BPE, Unigram, WordPiece; the same file every time.

BPE and Unigram work on the bytes of the text, each written as one visible character, so that no text has an unknown
piece and decoding gives back every byte.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from seqnlp import errors
from seqnlp.io import parallel
from seqnlp.preprocess.text import normalize
from seqnlp.preprocess.text.tokenizer import SPECIALS, UNK, Tokenizer, word_splitter

log = logging.getLogger(__name__)

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
WORDS_A_PIECE, SMALLEST, LARGEST = 90, 500, 16_000  # of the corpus for a piece of the vocabulary; its bounds
LONGEST = 10_000  # characters of a word that pieces are learnt from: each merge goes over all of it
_TOO_LONG = re.compile(rf"(\w{{{LONGEST}}})\w+|([^\w\s]{{{LONGEST}}})[^\w\s]+")
START, INSIDE = "▁", "##"  # marks of a piece that begins a word, and of one inside it


def size(words: int) -> int:
    """Return how many pieces suit a corpus of so many words."""
    return int(min(max(round(words / WORDS_A_PIECE, -2), SMALLEST), LARGEST))


def train(
    texts: Iterable[str], *, kind: str = "bpe", size: int = 8000, normalization: str | Sequence[str] = "nfc"
) -> Tokenizer:
    """Return a tokenizer of at most `size` pieces; kind: one of `KINDS`.

    Ctrl-C ends it at once. Raises `DataError` where there is nothing to learn from.
    """
    content = KINDS[kind](texts, size, normalize.build(normalization))
    content["added_tokens"] = []  # the special tokens are ids, not strings to look for in a text
    return Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(content)))


def _byte_level(model: models.Model, normalizer: Any) -> tokenizers.Tokenizer:
    backend = tokenizers.Tokenizer(model)
    backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def _learn(backend: tokenizers.Tokenizer, texts: Iterable[str], trainer: trainers.Trainer) -> None:
    found = 0

    def cut(text: str) -> str:
        nonlocal found
        kept, number = _TOO_LONG.subn(r"\1\2", text)
        found += number
        return kept

    parallel.interruptible(lambda items: backend.train_from_iterator(items, trainer), map(cut, texts))
    if found:
        log.warning("%d words were longer than %d characters: pieces are learnt from their beginnings", found, LONGEST)


def _bpe(texts: Iterable[str], size: int, normalizer: Any) -> dict[str, Any]:
    """Byte-pair encoding (Sennrich et al. 2016, section 3.2) over bytes (Radford et al. 2019, section 2.2)."""
    backend = _byte_level(models.BPE(), normalizer)
    settings: dict[str, Any] = {"special_tokens": list(SPECIALS), "initial_alphabet": BYTES, "show_progress": False}
    _learn(backend, texts, trainers.BpeTrainer(vocab_size=size, **settings))
    return dict(json.loads(backend.to_str()))


def _unigram(texts: Iterable[str], size: int, normalizer: Any) -> dict[str, Any]:
    """A unigram language model over pieces (Kudo 2018, section 3.2).

    The trainer's sums run in another order each time, and it gives bytes that it never saw scores in the order of a
    hash table: we round, put those bytes below all others, and sort.
    """
    backend = _byte_level(models.Unigram(), normalizer)
    settings: dict[str, Any] = {"special_tokens": list(SPECIALS), "initial_alphabet": BYTES, "show_progress": False}
    _learn(backend, texts, trainers.UnigramTrainer(vocab_size=size, unk_token=SPECIALS[UNK], **settings))
    content: dict[str, Any] = json.loads(backend.to_str())
    if any(score is None for _, score in content["model"]["vocab"]):  # not a number: there was nothing to count
        raise errors.DataError("no text is left when it is normalised", "there is nothing to learn subwords from")
    learnt = [(piece, round(score, 6)) for piece, score in content["model"]["vocab"][len(SPECIALS) :]]
    lowest = min((score for piece, score in learnt if len(piece) > 1), default=0.0)
    scores = [(piece, score if score >= lowest else lowest - 1) for piece, score in learnt]
    scores.sort(key=lambda item: (-item[1], item[0]))
    content["model"]["vocab"] = [[special, 0.0] for special in SPECIALS] + [list(item) for item in scores]
    return content


def _wordpiece(texts: Iterable[str], size: int, normalizer: Any) -> dict[str, Any]:
    """WordPiece: the longest piece first, word by word (Wu et al. 2016, section 4.1).

    The library's trainer breaks ties by the order of a hash table, so the pieces are those of a BPE over words with a
    mark at their beginning, which is then moved to the insides.
    """
    backend = tokenizers.Tokenizer(models.BPE())
    backend.normalizer = normalizer
    marked = pre_tokenizers.Metaspace(replacement=START, prepend_scheme="always", split=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([word_splitter(), marked])
    _learn(backend, texts, trainers.BpeTrainer(vocab_size=size, show_progress=False))
    merged = backend.get_vocab()
    found = [piece for piece in sorted(merged, key=lambda piece: merged[piece]) if piece != START]
    letters = [piece for piece in found if len(piece) == 1]  # each may begin a word
    pieces = [piece.removeprefix(START) if piece.startswith(START) else INSIDE + piece for piece in found]
    ordered = list(dict.fromkeys([*SPECIALS, *letters, *pieces]))[:size]
    vocabulary = {piece: number for number, piece in enumerate(ordered)}
    final = tokenizers.Tokenizer(
        models.WordPiece(vocabulary, unk_token=SPECIALS[UNK], continuing_subword_prefix=INSIDE)
    )
    final.normalizer, final.pre_tokenizer, final.decoder = normalizer, word_splitter(), decoders.WordPiece(INSIDE)
    return dict(json.loads(final.to_str()))


KINDS: dict[str, Callable[[Iterable[str], int, Any], dict[str, Any]]] = {
    "bpe": _bpe,
    "unigram": _unigram,
    "wordpiece": _wordpiece,
}
