"""Detection: what a file looks like, by its first lines and its name together; the first lines decide."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import columns, conll, content, delimiter, header, look, names, schema, tables

log = logging.getLogger(__name__)

FORMATS = ("text", "tsv", "csv", "jsonl", "fasttext", "label-text", "conll", "conllu", "parquet")
ENDINGS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".conllu": "conllu",
    ".conllup": "conllu",
    ".parquet": "parquet",
}
WITHOUT_FIELDS = ("text", "fasttext", "label-text", "conll", "conllu")
STEADY = 0.9  # of the rows have the same number of columns, where nothing but that says that it is a table
DISAGREE = "%s: is named like %s, but looks like %s: read as that"
HINTS = {"tsv": "columns are separated by one tab", "csv": 'a field that holds a {} stands in quotes "..."'}


def by_name(path: str, source: schema.Source) -> str | None:
    """Return the format that --from or the ending of a name says, None where neither does."""
    if path.startswith(tables.HUB):
        return "hub"
    return source.format or ENDINGS.get(os.path.splitext(path.lower().removesuffix(".gz"))[1])


def is_table(path: str, source: schema.Source) -> str | None:
    """Return which kind of table with named columns it is, None of a file of lines."""
    if tables.is_saved(path):
        return "saved"
    kind = by_name(path, source)
    if source.format is None and kind is None and Path(path).suffix != ".txt" and files.is_parquet(path):
        return "parquet"  # one with the ending of another kind is refused when it is read: a corpus is opened once
    return kind if kind in ("hub", "parquet") else None


def recognised(seen: look.Look, *, alone: bool = False) -> schema.Schema:
    """Return what a file of lines is; `fields` of JSON are left to its first record.

    alone: no other file belongs to it line by line. Raises `DataError` where it cannot be told, `UsageError` where the
    options name fields and it has none.
    """
    _check_line_ends(seen)
    kind = format_of(seen) or (_of_one_file(seen) if alone or seen.answers else None) or "text"
    asked = [role for role in seen.roles if role in seen.source.columns]
    if asked and kind in WITHOUT_FIELDS and not (seen.answers and kind == "text"):
        what = f"{seen.name}: --{asked[0]}-field has no effect: it is read as {kind}, which has no fields"
        raise errors.UsageError(what, "--from says the format, where it is another")
    if kind in schema.TABLES:
        return _table(seen, kind)
    if kind == "conll" and (cells := _first_token(seen)):
        return schema.Schema(kind, "\t" if "\t" in cells else " ", width=len(conll.split(cells)))
    if kind == "conllu" and (columns := _plus(seen)):
        return schema.Schema(kind, header=columns, width=len(columns))
    return schema.Schema(kind)


def _check_line_ends(seen: look.Look) -> None:
    if seen.complete and len(seen.head) == 1:
        returns = sum(part.count("\r") for part in seen.head[0].split('"')[::2])  # between quotes it may be text
        if returns > 1 or (returns and seen.training):
            what = f"{seen.name}:1: its lines end in CR alone, which ends no line here"
            raise errors.DataError(what, "convert it: tr '\\r' '\\n' < FILE")


def _first_token(seen: look.Look) -> str:
    """Return the first line of a token, "" if there is none."""
    lines = (line for line in seen.head if line.strip() and not line.startswith(conll.DOCUMENT))
    return next((line for line in lines if not content.COMMENT.match(line)), "")


def _plus(seen: look.Look) -> tuple[str, ...]:
    """Return the columns of CoNLL-U Plus, by its first line or as remembered; none of plain CoNLL-U."""
    memory, first = seen.source.expected, "".join(seen.head[:1])
    if (columns := conll.plus(first)) or memory is None or memory.format != "conllu" or memory.header is None:
        return columns
    return memory.header if _first_token(seen).count("\t") + 1 == memory.width else ()


def format_of(seen: look.Look) -> str | None:
    """Return the format by content and name together, None where neither says it; one warning where they disagree."""
    if seen.source.format is not None:
        return seen.source.format
    named = by_name(seen.path, seen.source)
    found = _by_content(seen, named)
    if found is None or named is None or found == named:
        return found or named
    log.warning(DISAGREE, seen.name, named, found)
    return found


def _by_content(seen: look.Look, named: str | None) -> str | None:
    """Return the format that the first lines say, None where they say none, or may be what the name says."""
    if content.is_json(seen.head):
        return "jsonl"
    if named in ("jsonl", "csv"):
        return None
    if seen.words and (found := _in_columns(seen, named)):
        return found
    if named == "tsv" and seen.training and not any("\t" in line for line in seen.head):
        return "csv" if _is_steady(seen) else None
    if named is not None:
        return None
    if seen.asked and _is_named(seen):
        return "csv"
    if (memory := seen.source.expected) is not None and _is_like(seen, memory):
        return memory.format
    if seen.numbers:
        return "tsv" if content.is_tabbed(seen.head, STEADY) else "csv" if _is_steady(seen) else None
    if seen.training and content.is_fasttext(seen.head):
        return "fasttext"
    if seen.training or seen.asked:
        if not seen.words and not seen.answers and content.is_conll(seen.head):
            log.warning("%s: looks like CoNLL, a token a line, and is read as texts", seen.name)
        return "tsv" if content.is_tabbed(seen.head, STEADY) else None
    return None


def _in_columns(seen: look.Look, named: str | None) -> str | None:
    """Return which kind of columns the tokens stand in, None if they do not."""
    memory = seen.source.expected
    if conll.plus("".join(seen.head[:1])):
        return "conllu"
    if memory is not None and memory.format in ("conll", "conllu") and not seen.training and named is None:
        return memory.format if _is_like(seen, memory) else None
    if named == "conll" and seen.source.layout.get("tokens", "1") != "1":
        return None  # they are where the options say
    if content.is_conllu(seen.head):
        return "conllu"
    return "conll" if named != "conllu" and content.is_conll(seen.head) else None


def _is_like(seen: look.Look, memory: schema.Schema) -> bool:
    """Return whether the first line is one of the remembered form.

    A line of text may be taken for data, so that only a header tells a table where but one line is seen.
    """
    first = next((line for line in seen.head if line.strip() and not delimiter.said([line])), "")
    if memory.format == "conllu":
        plus = memory.header is not None and content.is_columns(first, memory.width, tabs=True)
        return plus or content.is_conllu([first]) or content.COMMENT.match(first) is not None
    if memory.format == "conll":
        return _is_like_columns(seen, first, memory)
    if memory.format not in schema.TABLES:
        return memory.format == "label-text" and seen.training
    cells = (
        first.split("\t") if memory.format == "tsv" else (delimiter.rows([first], memory.delimiter or ",") or [[]])[0]
    )
    if memory.header is not None:
        return _is_header_of(memory, cells, seen.roles[0])
    tells = seen.training if memory.format == "csv" else len(seen.head) > 1  # a comma may stand in any text
    return tells and len(cells) == memory.width and len(cells) > 1


def _is_header_of(memory: schema.Schema, cells: Sequence[str], role: str) -> bool:
    """Return whether cells are the remembered header, or several of its names: what is new lacks the targets."""
    found, known = list(map(names.plain, cells)), list(map(names.plain, memory.header or ()))
    inputs = set(map(names.plain, memory.fields.get(role, ())))
    some = len(found) > 1 and len(set(found)) == len(found) and inputs <= set(found) <= set(known)
    return found == known or some


def _is_like_columns(seen: look.Look, first: str, memory: schema.Schema) -> bool:
    """Return whether tokens stand in the remembered columns, below comments if there are some."""
    if conll.KEY_AND_VALUE.match(first):
        return True
    token = first if first.startswith(conll.DOCUMENT) else _first_token(seen)
    if content.is_columns(token, memory.width, memory.delimiter == "\t"):
        return True
    same = len(conll.split(token)) == memory.width and ("\t" in token) == (memory.delimiter == "\t")
    return same and len(seen.head) > 1 and content.is_conll(seen.head)


def _is_named(seen: look.Look) -> bool:
    """Return whether the first row of a .csv has the names that the options say."""
    if any(part.isdigit() for part in seen.asked):
        return False
    first = delimiter.rows(seen.head[:1], delimiter.of(seen.head[:1], seen.asked)[0])
    return bool(first) and all(names.place(name, first[0]) is not None for name in seen.asked)


def _is_steady(seen: look.Look) -> bool:
    _, evidence = delimiter.of(seen.head, seen.asked, complete=seen.complete)
    return evidence >= STEADY and len(seen.head) > 1


def _of_one_file(seen: look.Look) -> str | None:
    """Return what a file of no known name is that holds both texts and targets, or answers, which may have commas."""
    if content.is_label_first(seen.head) and seen.roles[1:2] == ("label",):
        return "label-text"
    if not _is_steady(seen):
        return None
    found = delimiter.rows(seen.head, delimiter.of(seen.head, seen.asked)[0], complete=seen.complete)
    has_names = all(names.usual(role, found[0]) for role in seen.roles[: seen.needed])
    if has_names or seen.answers:
        return "csv" if has_names else None
    classes = any(header.recurs([row[place] for row in found[1:]]) for place in (0, -1))
    return "csv" if seen.asked or (classes and seen.roles[1:2] == ("label",)) else None


def _table(seen: look.Look, kind: str) -> schema.Schema:
    """Return the schema of a table, its header and columns recognised; one column of answers is the targets."""
    parted = None
    if kind == "csv":
        parted = _delimiter(seen)
        rows = delimiter.rows(seen.head, parted, complete=seen.complete)
    else:
        rows = [line.split("\t") for line in seen.head if line.strip()]
        if seen.training and rows and sum(any(map(content.QUOTED.fullmatch, row)) for row in rows) * 2 > len(rows):
            log.warning("%s: cells stand in quotes, which tsv keeps; --from csv takes them off", seen.name)
    form = schema.Schema(kind, parted)
    if not rows:
        return schema.Schema(kind, parted, None, {}, 0, {role: (place,) for place, role in enumerate(seen.roles)})
    line = next(number for number, line in enumerate(seen.head, 1) if line.strip() and not delimiter.said([line]))
    if seen.answers and max(map(len, rows)) == 1:
        seen = replace(seen, roles=seen.roles[-1:], needed=1)
    source, hint = seen.source, HINTS[kind].format(delimiter.NAMES.get(parted or "", "delimiter"))
    about = (source.columns, source.header, source.expected)
    found = columns.recognised(header.Table(seen.name, line, rows, seen.roles, seen.needed, *about, hint), form)
    if seen.words and seen.training and _are_lone_tokens(rows, found):
        log.warning("%s: every row has one token, and is read as a sentence; CoNLL has a token a line", seen.name)
    return found


def _are_lone_tokens(rows: Sequence[Sequence[str]], form: schema.Schema) -> bool:
    place = form.places["tokens"][0]
    cells = [row[place].split() for row in rows[form.header is not None :] if place < len(row)]
    return len(cells) >= header.MIN_ROWS and max(map(len, cells)) == 1


def _delimiter(seen: look.Look) -> str:
    memory = seen.source.expected
    if memory is not None and memory.format == "csv" and memory.delimiter and _is_like(seen, memory):
        return memory.delimiter
    return delimiter.of(seen.head, [part for part in seen.asked if not part.isdigit()], complete=seen.complete)[0]
