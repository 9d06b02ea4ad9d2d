"""Tokenizers: from text to ids and back, each one tokenizer.json of Hugging Face's format; words and characters.

The four special tokens have fixed ids and stand in the vocabulary only: they are never looked for in the text, so that
a `<s>` or `<unk>` that somebody wrote is text.
"""

from __future__ import annotations

import collections
import functools
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers

from seqnlp import errors
from seqnlp.io import atomic, files
from seqnlp.preprocess.text import normalize

SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")
PAD, UNK, START, END = range(4)

BETWEEN_WORDS = re.compile(r"(?<=\S)(?= \S)")
KNOWN_WORDS = 200_000  # whose pieces are remembered

# Chinese and Japanese put no blanks between words: each Han or kana character (and the long-vowel mark, which
# belongs to no one script) counts as a word.
CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"


# A group that repeats what repeats: the library tries every way to part a text among the two, and then gives up.
ENDLESS = re.compile(r"\([^()]*[^\\][+*}][^()]*\)[+*{]")

Method = TypeVar("Method", bound=Callable[..., Any])


def _guarded(method: Method) -> Method:
    """Return a method that raises `ModelError` where the library panics: its exception is none of `Exception`."""

    @functools.wraps(method)
    def run(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            hint = "make another tokenizer with seqnlp vocab or bpe"
            raise errors.ModelError(f"the tokenizer gives up on a text ({error})", hint) from None

    return cast(Method, run)


class Tokenizer:
    """Text to ids and back; a thin wrapper around `tokenizers.Tokenizer` that knows the special ids."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self.backend = backend
        self.vocabulary: dict[str, int] = backend.get_vocab(with_added_tokens=False)

    def __len__(self) -> int:
        return len(self.vocabulary)

    @functools.cached_property
    def names(self) -> list[str]:
        """The entries of the vocabulary as they are shown, by id; those of bytes in the text that they stand for."""
        ordered = sorted(self.vocabulary, key=lambda name: self.vocabulary[name])
        decoder = self.backend.decoder
        return [decoder.decode([name]) or name for name in ordered] if decoder else ordered

    def words(self, text: str) -> list[str]:
        """Return the words of a text, normalised; of a tokenizer of pieces its pieces."""
        if not isinstance(self.backend.model, models.WordLevel):
            return self.pieces([text])[0]
        return self.split(self.normal(text))

    @_guarded
    def normal(self, text: str) -> str:
        """Return the text normalised."""
        normalised: str = self.backend.normalizer.normalize_str(text) if self.backend.normalizer else text
        return normalised

    @_guarded
    def split(self, text: str) -> list[str]:
        """Return the words of a text as it is."""
        return [word for word, _ in self.backend.pre_tokenizer.pre_tokenize_str(text)]

    def lookup(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words, `UNK` for those that the vocabulary lacks and for the special tokens' names."""
        ids = (self.vocabulary.get(word, UNK) for word in words)
        return [i if i > END else UNK for i in ids]

    @_guarded
    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [encoding.ids for encoding in self.backend.encode_batch(list(texts), add_special_tokens=False)]

    def encode_open(self, text: str, unknown: dict[str, int], *, grow: bool) -> list[int]:
        """Return the ids of a text, those of the `unknown` words, as they are written there, past the vocabulary.

        unknown: the place of each among them; grow: whether new ones come to it, or have the id `UNK`.
        """
        ids = []
        for number, word in self._words_of(text):
            if number == UNK and grow:
                unknown.setdefault(word, len(unknown))
            place = unknown.get(word) if number == UNK else None
            ids.append(number if place is None else len(self) + place)
        return ids

    def _words_of(self, text: str) -> Iterable[tuple[int, str]]:
        """The ids of a text, each with the word or piece that it stands for."""
        if isinstance(self.backend.model, models.WordLevel):
            words = self.words(text)
            return zip(self.lookup(words), words, strict=True)
        found = self.backend.encode(text, add_special_tokens=False)
        return zip(found.ids, (text[slice(*ends)] for ends in found.offsets), strict=True)

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each text, as they are written in the vocabulary."""
        if not self._by_words:
            return self._pieces(texts)
        lines = [BETWEEN_WORDS.split(text) for text in texts]
        new = list({word for words in lines for word in words} - self._known.keys())
        if len(self._known) > KNOWN_WORDS:
            self._known.clear()
            return self.pieces(texts)
        self._known.update(zip(new, self._pieces(new), strict=True))
        known = self._known
        return [[piece for word in words for piece in known[word]] for words in lines]

    @_guarded
    def _pieces(self, texts: Sequence[str]) -> list[list[str]]:
        return [encoding.tokens for encoding in self.backend.encode_batch(list(texts), add_special_tokens=False)]

    @functools.cached_property
    def _known(self) -> dict[str, list[str]]:
        """The pieces of words that came before: most of a text are such."""
        return {}

    @functools.cached_property
    def _by_words(self) -> bool:
        """Whether a word has the same pieces in every text: no merge crosses a blank, and none is left out."""
        content = json.loads(self.backend.to_str())
        splitter = content["pre_tokenizer"] or {}
        bytewise = splitter.get("type") == "ByteLevel" and not splitter["add_prefix_space"] and splitter["use_regex"]
        return bytewise and not content["model"].get("dropout") and self.normal(" x") == " x"

    def join(self, pieces: Sequence[str]) -> str:
        """Return the text of pieces."""
        text: str = self.backend.decoder.decode(list(pieces)) if self.backend.decoder else " ".join(pieces)
        return text

    def set_dropout(self, probability: float) -> None:
        """Skip each merge with a probability when encoding; raises `UsageError` unless it is a BPE."""
        if not isinstance(self.backend.model, models.BPE):
            raise errors.UsageError("--dropout needs a BPE tokenizer")
        self.backend.model.dropout = probability
        self.__dict__.pop("_by_words", None)

    def decode(self, ids: Sequence[int], unknown: Sequence[str] = ()) -> str:
        """Return the text of ids, special tokens left out; unknown: the words whose ids are past the vocabulary."""
        ids = [i for i in ids if i > END]
        if not unknown:
            return self.backend.decode(ids, skip_special_tokens=False)
        size = len(self)
        return self.join([str(self.backend.id_to_token(i)) if i < size else unknown[i - size] for i in ids])

    def save(self, path: str | Path) -> None:
        """Write the tokenizer as one JSON file."""
        with atomic.atomic(path) as file:
            file.write(self.backend.to_str(pretty=True))

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Return the tokenizer in a file; raises `DataError` if it is none."""
        try:
            files.check_readable(str(path))
            with files.open_bytes(str(path)) as file:
                content = file.read().decode()
            if pattern := next(filter(ENDLESS.search, re.findall(r'"Regex":\s*("(?:[^"\\]|\\.)*")', content)), None):
                raise ValueError(f"its pattern {pattern:.40} may search for ever")
            return cls(_parsed(content))
        except errors.SeqnlpError:
            raise
        except Exception as error:  # the library raises plain Exception for every malformed file
            raise errors.DataError(f"{path}: not a tokenizer ({error})", "make one with seqnlp vocab or bpe") from None

    @classmethod
    def own(cls, path: str | Path) -> Tokenizer:
        """Return the tokenizer in a file; raises `DataError` unless it is one that `vocab` or `bpe` could have made."""
        found = cls.load(path)
        ids = found.vocabulary
        if sorted(ids.values()) != list(range(len(ids))):
            problem = "its ids are not those from 0 on, each once"
        elif [ids.get(name) for name in SPECIALS] != list(range(len(SPECIALS))):
            problem = f"its first entries are not {' '.join(SPECIALS)}"
        elif isinstance(found.backend.model, models.WordLevel) and found.backend.pre_tokenizer is None:
            problem = "it does not say how text is split"
        else:
            return found
        raise errors.DataError(f"{path}: {problem}", "make one with seqnlp vocab or bpe")


@_guarded
def _parsed(content: str) -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_str(content)


def word_splitter() -> pre_tokenizers.PreTokenizer:
    """Return the default pre-tokeniser: words, runs of punctuation, and each Han or kana character by itself."""
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CJK), behavior="isolated"), pre_tokenizers.Whitespace()])


def character_splitter() -> pre_tokenizers.PreTokenizer:
    """Return the pre-tokeniser of character vocabularies: every code point by itself, blanks too."""
    return pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")


def spaced_splitter() -> pre_tokenizers.PreTokenizer:
    """Return the pre-tokeniser of words with the blank before them, in bytes: joined they are the text again."""
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CJK), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


SPLITTERS = {
    "word": word_splitter,
    "spaced": spaced_splitter,
    "blank": pre_tokenizers.WhitespaceSplit,
    "char": character_splitter,
}


def train_vocabulary(
    texts: Iterable[str],
    *,
    level: str = "word",
    normalization: str | Sequence[str] = "nfc",
    size: int | None = None,
    min_count: int = 1,
) -> Tokenizer:
    """Return a word or character vocabulary: the `size` most frequent with at least `min_count` occurrences.

    Order is by falling count, then by code point, so that the file is the same every time.
    """
    empty = vocabulary({}, level=level, normalization=normalization)
    return from_counts(count(texts, empty), level=level, normalization=normalization, size=size, min_count=min_count)


def from_counts(
    counts: Mapping[str, int],
    *,
    level: str = "word",
    normalization: str | Sequence[str] = "nfc",
    size: int | None = None,
    min_count: int = 1,
    more: Iterable[str] = (),
) -> Tokenizer:
    """Return the vocabulary of words by how often each, normalised already, occurs; see `train_vocabulary`.

    more: words that come after those, as far as the size allows.
    """
    ranked = sorted((item for item in counts.items() if item[1] >= min_count), key=lambda item: (-item[1], item[0]))
    words = dict.fromkeys(itertools.chain((word for word, _ in ranked), more))
    room = None if size is None else max(size - len(SPECIALS), 0)
    kept = [word for word in words if word not in SPECIALS][:room]
    return vocabulary({word: i for i, word in enumerate(kept, len(SPECIALS))}, level=level, normalization=normalization)


def count(texts: Iterable[str], tokenizer: Tokenizer) -> collections.Counter[str]:
    """Return how often each word of the texts occurs, normalised and split as the tokenizer does."""
    counts: collections.Counter[str] = collections.Counter()
    for text in texts:
        counts.update(tokenizer.words(text))
    return counts


def vocabulary(words: dict[str, int], *, level: str, normalization: str | Sequence[str]) -> Tokenizer:
    """Return the tokenizer that looks `words` up; the special tokens are put before them."""
    backend = tokenizers.Tokenizer(
        models.WordLevel({**{s: i for i, s in enumerate(SPECIALS)}, **words}, unk_token=SPECIALS[UNK])
    )
    backend.normalizer = normalize.build(normalization)
    backend.pre_tokenizer = SPLITTERS[level]()
    if level == "spaced":  # a word is the same at the beginning of a text
        steps = (
            [normalizers.Prepend(" ")] if backend.normalizer is None else [backend.normalizer, normalizers.Prepend(" ")]
        )
        backend.normalizer, backend.decoder = normalizers.Sequence(steps), decoders.ByteLevel()
    return Tokenizer(backend)
