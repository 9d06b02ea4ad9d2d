"""Columns: sentences as blocks of lines, one token a line (CoNLL, CoNLL-U), read so that they can be written again.

A block keeps every line it came in, so that a tagger's output is its input with one column more, or one filled in.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from seqnlp import errors
from seqnlp.preprocess.corpora import formats, names
from seqnlp.preprocess.corpora.formats import File, Record

log = logging.getLogger(__name__)

ROLES = ("tokens", "tags")
DOCUMENT = "-DOCSTART-"
UD = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")  # the columns of CoNLL-U
PLUS = re.compile(r"#\s*global\.columns\s*=(.*)")  # the first line of CoNLL-U Plus, which names its own
NO_WORD = re.compile(r"\d+[-.]\d")  # numbers of multiword tokens and empty nodes
CHUNK_TAG = re.compile(r"O|[BIESLUM]-\S+")
KEY_AND_VALUE = re.compile(r"#\s\S+ = ")  # a comment, even where it has as many columns as a token


@dataclass(frozen=True)
class Block:
    """The lines of a sentence, from the end of the one before to its own blank line, and which are its tokens.

    columns: the names of CoNLL-U's, none of another format.
    """

    lines: tuple[str, ...]
    tokens: tuple[int, ...]
    columns: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        """Return how many lines below the first token each one stands."""
        return tuple(place - self.tokens[0] for place in self.tokens)


Cells = dict[int, list[str]]  # the columns of a block's tokens, by place


def conll(file: File) -> Iterator[Record]:
    """One token a line, columns separated by tabs, or else by blanks; comments and document marks are no tokens."""
    token, tag = (int(file.layout.get(role, default)) for role, default in zip(ROLES, (1, 0), strict=True))
    needed = max(token, tag or 2) if file.needed > 1 else token
    yield from _sentences(file, _Conll(file, needed, (token - 1, tag - 1)).tokens, token - 1, tag - 1)


class _Conll:
    """The way from lines to tokens; what all tokens look like is learnt from the first.

    `# ` begins a comment where it stands above a sentence and looks otherwise, or has no tag where tokens are tagged.
    """

    def __init__(self, file: File, needed: int, places: tuple[int, int]) -> None:
        self.file, self.needed, self.places = file, needed, places
        self.counted = int(file.layout.get("tokens", 1)) > 1  # their numbers may stand before them
        self.form = (0, False)  # how many columns, and whether tabs part them

    def tokens(self, begin: int, lines: Sequence[str]) -> Cells:
        found = {i: split(line) for i, line in enumerate(lines) if line.strip() and not line.startswith(DOCUMENT)}
        hashes = set(itertools.takewhile(lambda i: lines[i].startswith(("# ", "#\t")), found))
        first = next((i for i in found if i not in hashes), None)
        if self.form == (0, False) and first is not None:
            self.form = _form(lines[first], found[first])
            if len(found[first]) > 1 and self._is_header(found[first]):
                log.warning("%s:%d: is taken as a header: %s", self.file.name, begin + first, lines[first])
                del found[first]
        numbered = self.counted and _are_numbered([cells for i, cells in found.items() if i not in hashes])
        for i in hashes:
            like = _form(lines[i], found[i]) == self.form and (first is None or self._has_tag(found[i], found[first]))
            if numbered or not like or KEY_AND_VALUE.match(lines[i]):
                del found[i]
        for i, cells in found.items():
            self._check(begin + i, cells)
        return found

    def _has_tag(self, cells: Sequence[str], other: Sequence[str]) -> bool:
        """Return whether a line has a tag of spans, as far as another one has."""
        tags = [row[self.places[1]] for row in (other, cells) if self.places[1] < len(row)]
        return [CHUNK_TAG.fullmatch(tag) is not None for tag in tags] != [True, False]

    def _is_header(self, cells: Sequence[str]) -> bool:
        """Return whether a line names the columns of tokens and tags, in a usual way."""
        there = zip(ROLES, self.places, strict=True)
        return all(place < len(cells) and names.usual(role, [cells[place]]) for role, place in there)

    def _check(self, line: int, cells: Sequence[str]) -> None:
        count, width = formats.count(cells), self.form[0]
        if len(cells) != width:
            hint = "every token has the same columns; a blank line ends a sentence"
            raise self.file.error(line, f"{count}, the lines before have {width}", hint)
        if len(cells) < self.needed:
            raise self.file.error(line, f"{count}, expected at least {self.needed}", "a token and its tag")


def _are_numbered(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first column counts the tokens: what stands above is none of them."""
    return bool(rows) and [cells[0] for cells in rows] == [str(number) for number in range(1, len(rows) + 1)]


def _form(line: str, cells: Sequence[str]) -> tuple[int, bool]:
    return len(cells), "\t" in line


def split(line: str) -> list[str]:
    """Return the columns of a line: parted by tabs, or else by blanks."""
    return line.split("\t") if "\t" in line else [cell for cell in line.split(" ") if cell]


def plus(line: str) -> tuple[str, ...]:
    """Return the columns that a line of CoNLL-U Plus names, none where it names none."""
    found = PLUS.match(line)
    return tuple(found[1].split()) if found else ()


def named(column: str, columns: Sequence[str]) -> int | None:
    """Return the place of a column of CoNLL-U, whose name counts in any case; None where there is none."""
    found = [name.casefold() for name in columns]
    return found.index(column.casefold()) if column.casefold() in found else None


def conllu(file: File) -> Iterator[Record]:
    """Universal Dependencies' ten columns, or those of CoNLL-U Plus, which its first line names.

    Lines of multiword tokens (3-4) and empty nodes (5.1) are no tokens.
    """
    columns = file.schema.header or UD
    wanted = ("FORM", file.layout.get("column", "upos"))[: file.needed]
    places = [named(name, columns) for name in wanted]
    if None in places:
        what = f"no column {wanted[places.index(None)]} (it has: {' '.join(columns)})"
        raise file.error(
            1, what, "name the column of the tags (--column; score: --tags-field); FORM is that of the tokens"
        )
    yield from _sentences(file, _Conllu(file, columns).tokens, places[0] or 0, places[-1] or 0, columns)


class _Conllu:
    """The way from lines to tokens."""

    def __init__(self, file: File, columns: tuple[str, ...]) -> None:
        self.file, self.columns, self.number = file, columns, named("ID", columns)

    def tokens(self, begin: int, lines: Sequence[str]) -> Cells:
        found = {i: line.split("\t") for i, line in enumerate(lines) if line.strip()}
        for i, cells in list(found.items()):
            if self._is_comment(begin + i, lines[i], cells) or self._is_no_word(cells):
                del found[i]
            elif len(cells) != len(self.columns):
                plus = "" if self.columns == UD else " Plus"
                what = f"{formats.count(cells)}, CoNLL-U{plus} has {len(self.columns)}"
                hint = "--from conll takes any number of columns" if len(cells) > 1 else "they are separated by tabs"
                raise self.file.error(begin + i, what, hint)
        return found

    def _is_no_word(self, cells: Sequence[str]) -> bool:
        number = self.number
        return number is not None and number < len(cells) and NO_WORD.match(cells[number]) is not None

    def _is_comment(self, number: int, line: str, cells: Sequence[str]) -> bool:
        """Return whether a line is one; where no number comes first, a token may be a hash itself."""
        if (columns := plus(line)) and columns != self.columns:
            what = f"other columns than those before ({' '.join(self.columns)})"
            raise self.file.error(number, what, "join files of the same columns")
        return line.startswith("#") and (self.number == 0 or len(cells) != len(self.columns) or len(cells) == 1)


def _sentences(
    file: File,
    tokens: Callable[[int, Sequence[str]], Cells],
    token: int,
    tag: int,
    columns_of: tuple[str, ...] = (),
) -> Iterator[Record]:
    """Return a record for each sentence; what stands behind the last one is a record without tokens."""
    columns = dict(zip(ROLES[: file.needed], (token, tag), strict=False))
    lines: list[str] = []
    for begin, block in _blocks(file.lines):
        found = tokens(begin, block)
        lines += block  # behind those of blocks without tokens
        if found:
            values = {role: _column(file, role, column, begin, found) for role, column in columns.items()}
            first = len(lines) - len(block)
            places = tuple(first + i for i in found)
            yield Record(values, Block(tuple(lines), places, columns_of), file.name, begin + min(found))
            lines = []
    if lines:
        yield Record(dict.fromkeys(columns, ()), Block(tuple(lines), (), columns_of), file.name, begin)


def _blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines up to each blank one, that one too, and the number of the first."""
    block: list[str] = []
    number = 0
    for number, line in enumerate(lines, 1):
        block.append(line)
        if not line.strip():
            yield number - len(block) + 1, block
            block = []
    if block:
        yield number - len(block) + 1, block


def _column(file: File, role: str, column: int, begin: int, found: Cells) -> tuple[str, ...]:
    for i, cells in found.items():
        if not cells[column]:
            raise file.error(begin + i, f"an empty column, where the {role} are", "one tab between columns")
    return tuple(cells[column] for cells in found.values())


def appended(block: Block | None, tokens: Sequence[str], tags: Sequence[str]) -> str:
    """Return a sentence as CoNLL columns: those it came in, with its tags appended, which end CoNLL-U Plus."""
    if block is None:
        return "".join(f"{_cell(token)}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True))
    lines = [PLUS.sub(r"# columns =\1", line) for line in block.lines] if block.columns else list(block.lines)
    for place, tag in zip(block.tokens, tags, strict=True):
        lines[place] += ("\t" if "\t" in lines[place] or " " not in lines[place] else " ") + tag
    return "\n".join(lines)


def filled(
    block: Block | None, tokens: Sequence[str], tags: Sequence[str], column: str, text: str | None = None
) -> str:
    """Return a sentence as CoNLL-U: as it came, the column filled in; from another format its tokens and no more.

    text: that they were split from, which stands above them then, and says which have no blank behind them. Raises
    `UsageError` where there is no such column.
    """
    if block is None or not block.columns:
        above = [f"# text = {text.strip()}"] if text is not None and tokens else []
        misc = _space_after(tokens, text) if text is not None else ["_"] * len(tokens)
        middle = "_\t" * (len(UD) - 3)
        rows = [f"{i}\t{_cell(one)}\t{middle}{last}" for i, (one, last) in enumerate(zip(tokens, misc, strict=True), 1)]
        block = Block((*above, *rows, ""), tuple(range(len(above), len(above) + len(tokens))), UD)
    if (column_place := named(column, block.columns)) is None:
        what = f"no column {column} to fill in (it has: {' '.join(block.columns)})"
        raise errors.UsageError(what, "--to conll puts the tags behind the columns")
    lines = list(block.lines)
    for place, tag in zip(block.tokens, tags, strict=True):
        cells = lines[place].split("\t")
        cells[column_place] = tag
        lines[place] = "\t".join(cells)
    return "\n".join(lines)


def _space_after(tokens: Sequence[str], text: str) -> list[str]:
    """What MISC says of each token in a text: SpaceAfter=No where another one follows at once."""
    found, place = [], 0
    for token in tokens:
        place = text.index(token, place) + len(token)
        found.append("_" if not text[place:] or text[place].isspace() else "SpaceAfter=No")
    return found


def _cell(token: str) -> str:
    """A token of a list may be empty, hold what ends columns and lines, or look like a comment or a document mark."""
    return re.sub(f"^-(?={DOCUMENT[1:]})|(?<=^#) |[\t\n]", "_", token) or "_"
