"""Content: what the first lines of a file look like, whatever its name says."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Sequence

from seqnlp.preprocess.corpora import conll, formats

ARRAY = re.compile(r"\s*\[\s*(\{\s*(\"|\}|$)|$)")  # the beginning of an array of objects
QUOTED = re.compile(r'"[^"]*"')  # a cell
COMMENT = re.compile(r"#(\s|$)")


def is_json(lines: Sequence[str]) -> bool:
    """Return whether the first line with anything on it is an object, or begins an array of objects."""
    first, second = ([line for line in lines if line.strip()] + ["", ""])[:2]
    return is_object(first) or bool(ARRAY.match(first) and ("{" in first or second.lstrip().startswith("{")))


def is_object(line: str) -> bool:
    """Return whether a line is a JSON object."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def is_fasttext(lines: Sequence[str]) -> bool:
    """Return whether the first line begins with a label as fastText marks it."""
    return bool(lines) and lines[0].startswith(formats.FASTTEXT_MARK)


def is_conllu(lines: Sequence[str]) -> bool:
    """Return whether the first token has the ten columns of CoNLL-U, or the first line names those of CoNLL-U Plus."""
    if lines and conll.plus(lines[0]):
        return True
    first = next((line for line in lines if line.strip() and not COMMENT.match(line)), "")
    cells = first.split("\t")
    return len(cells) == len(conll.UD) and re.fullmatch(r"\d+([-.]\d+)?", cells[0]) is not None


def is_conll(lines: Sequence[str]) -> bool:
    """Return whether the lines are tokens in columns: all of the same number, none with a blank inside.

    Blank lines part the sentences; a single sentence is known by its tags.
    """
    if lines and lines[0].startswith(conll.DOCUMENT):
        return True
    full = [number for number, line in enumerate(lines) if line.strip() and not COMMENT.match(line)]
    cells = [conll.split(lines[number]) for number in full]
    if len(full) < 2 or {len(row) for row in cells} != {len(cells[0])} or len(cells[0]) < 2:
        return False
    if any(re.search(r"\s", cell.strip()) or not cell for row in cells for cell in (row[0], row[-1])):
        return False
    blank = any(not line.strip() for line in lines[full[0] :])
    chunks = all(conll.CHUNK_TAG.fullmatch(row[-1]) for row in cells)
    recurring = len({row[-1] for row in cells}) < len(cells)
    return chunks or (blank and recurring)


def is_columns(line: str, width: int | None, tabs: bool) -> bool:
    """Return whether a line is a token in so many columns: parted by blanks, it must end in a tag to be told."""
    if line.startswith(conll.DOCUMENT):
        return True
    cells = conll.split(line)
    if len(cells) != width or width < 2 or ("\t" in line) != tabs:
        return False
    return tabs or conll.CHUNK_TAG.fullmatch(cells[-1]) is not None


def is_tabbed(lines: Sequence[str], share: float) -> bool:
    """Return whether at least this share of the lines has the same number of columns, parted by tabs, two at least."""
    counts = collections.Counter(line.count("\t") for line in lines if line.strip())
    tabs, number = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    return tabs > 0 and number >= share * counts.total()


def is_label_first(lines: Sequence[str]) -> bool:
    """Return whether each line is a label and a text: few first words, each of them often, and no common words.

    Lines of which most recur are answers.
    """
    pairs = [line.split(None, 1) for line in lines if line.strip()]
    if len(pairs) < 4 or min(map(len, pairs)) < 2 or len(set(map(tuple, pairs))) * 2 <= len(pairs):
        return False
    counts = collections.Counter(label for label, _ in pairs)
    marked = all(":" in label.strip(":") or label.isupper() or label.isdigit() for label in counts)
    singles = sum(count == 1 for count in counts.values())
    return marked and len(counts) * 2 <= len(pairs) and singles * 10 <= len(pairs)
