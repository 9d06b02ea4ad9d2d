"""Reading: from the records of a corpus to tokens with their tags, and what may be wrong with these."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from tokenizers import Regex, pre_tokenizers

from seqnlp import errors
from seqnlp.checks import base as checking
from seqnlp.checks import duplicates, labels, lengths, schemes, words
from seqnlp.preprocess.corpora import conll, formats
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.tag.options import Config
from seqnlp.tasks.words import vocabulary

TOKENS, TAGS = ROLES = conll.ROLES

CLITIC = r"['’](?:s|re|ve|ll|d|m)\b"
TOKEN = "(?i)" + "|".join(
    (
        rf"n['’]t\b|{CLITIC}",  # English clitics, as Universal Dependencies and the Penn Treebank have them
        r"\w+?(?=n['’]t\b)",  # do n't, ca n't
        r"\bo['’]\w+",  # O'Brien, o'clock
        rf"(?!\w+{CLITIC})\w+['’](?=\w)",  # l' homme, dell' arte
        r"\d+(?:[.,:/]\d+)+",  # 3.50, 10:30
        r"\w+",
        r"([^\w\s])\1*",  # ) and . apart, but ...
    )
)


class SplitText(tuple[str, ...]):
    """Tokens that remember the text they were split from."""

    text: str


def labelled(record: formats.Record) -> Example:
    """Return the tokens of a record with their tags; raises `DataError` where they do not belong together."""
    tokens, tags = (_strings(record, role) for role in ROLES)
    if len(tokens) != len(tags):
        what = f"{record.where}: {_count(tokens, 'token')}, {_count(tags, 'tag')}"
        raise errors.DataError(what, "every token needs a tag")
    steps = record.raw.steps if isinstance(record.raw, conll.Block) else ()
    found = Example(tokens, tags, record.raw, record.file, record.line, steps=steps)
    for tag in set(tags):
        if not tag or re.search(r"\s", tag):
            where = found.where_of(tags.index(tag))
            raise errors.DataError(f"{where}: not a tag: {tag!r}", "tags are not empty and contain no spaces")
    return found


def _count(items: Sequence[str], name: str) -> str:
    return f"{len(items)} {name}{'' if len(items) == 1 else 's'}"


def unlabelled(record: formats.Record, tokenize: bool) -> Example:
    """Return the sentence of a record: its tokens, or a line of text, split."""
    tokens, text = _strings(record, TOKENS), record.values[TOKENS]
    if isinstance(text, str):
        tokens = SplitText(token for token, _ in _splitter().pre_tokenize_str(text)) if tokenize else SplitText(tokens)
        tokens.text = text
        if not text.strip():  # blank, whatever the blanks are
            tokens = SplitText()
            tokens.text = text
    return Example(tokens, None, record.raw, record.file, record.line)


@functools.cache
def _splitter() -> pre_tokenizers.PreTokenizer:
    """What splits a text as treebanks do: Chinese and Japanese character by character."""
    places = (pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in (tokenizer.CJK, TOKEN))
    return pre_tokenizers.Sequence([*places, pre_tokenizers.WhitespaceSplit()])


def _strings(record: formats.Record, role: str) -> tuple[str, ...]:
    value = record.values[role]
    if isinstance(value, str):
        return tuple(part for part in re.split("[ \t]+", value) if part)
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise errors.DataError(f"{record.where}: the {role} are not a list of strings", f'as in: "{role}": ["a", "b"]')
    return tuple(value)


def is_usual(corpus: Sequence[Example]) -> bool:
    """Return whether tags recur as classes do, far more often than the tokens, and stand in sentences."""
    tokens = {token for example in corpus for token in example.source}
    tags = {tag for example in corpus for tag in example.target}
    return 2 * len(tags) <= len(tokens) and max(len(example.source) for example in corpus) > 1


def checks(config: Config) -> list[checking.Check]:
    """Return what is looked for in a corpus; see `Task.checks`."""
    normal = functools.lru_cache(1 << 16)(vocabulary.splitter(config, None, "tag").normal)
    return [
        duplicates.Duplicates("sentence"),
        lengths.Lengths({TOKENS: lambda one: len(one.source)}, "tokens"),
        labels.Labels(_tags, "tag", "token"),
        labels.OnlyInDev(_tags),
        schemes.Schemes(),
        words.UnknownWords({TOKENS: lambda one: map(normal, one.source)}),
    ]


def _tags(example: Example) -> tuple[str, ...]:
    tags: tuple[str, ...] = example.target
    return tags
