"""Tag schemes: how the tags of words write down spans, and the way from one notation to another.

A tag is `O`, or a prefix and a type: `B-PER`. The type may be empty (`B`) or hold hyphens itself (`B-creative-work`).
The schemes are those of Ramshaw & Marcus 1995 (IOB1), Ratnaparkhi 1998 (IOB2), their mirror images, which mark ends
(IOE1, IOE2: Tjong Kim Sang & Veenstra 1999), and those that mark both: BIOES, BMES as Chinese word segmentation has it,
and BILOU (Ratinov & Roth 2009). Tags without a scheme, as parts of speech, are plain classes: "none".
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

OUTSIDE = "O"
NONE = "none"

Parts = tuple[str, str]  # prefix and type of a tag
NOWHERE = (OUTSIDE, "")


class Span(NamedTuple):
    """The words from start to before end, and their label; a tuple, since scoring makes and hashes a great many."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Scheme:
    """The prefixes of a span's words: of a single word, or of the first, inner and last of several.

    `behind` replaces the first word's prefix (and the single one's) right behind a span of the same type, `before` the
    last word's right before one. A scheme has one of the two at most.
    """

    single: str
    first: str
    inside: str
    last: str
    behind: str = ""
    before: str = ""

    @property
    def begins(self) -> set[str]:
        """Return the prefixes of first words behind another type, and behind nothing."""
        return {self.single, self.first, self.before} - {""}

    @property
    def ends(self) -> set[str]:
        """Return the prefixes of last words before another type, and before nothing."""
        return {self.single, self.last, self.behind} - {""}

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Return which prefixes may be neighbours with the same type: in one span, or in two that touch."""
        touching = itertools.product(_only(self.before) or self.ends, _only(self.behind) or self.begins)
        within = itertools.product(
            {self.first, self.inside} | _only(self.behind), {self.inside, self.last} | _only(self.before)
        )
        return {*within, *touching}

    @property
    def prefixes(self) -> set[str]:
        """Return all prefixes."""
        return {self.inside} | self.begins | self.ends


def _only(prefix: str) -> set[str]:
    return {prefix} - {""}


SCHEMES = {
    "IOB1": Scheme(single="I", first="I", inside="I", last="I", behind="B"),
    "IOB2": Scheme(single="B", first="B", inside="I", last="I"),
    "IOE1": Scheme(single="I", first="I", inside="I", last="I", before="E"),
    "IOE2": Scheme(single="E", first="I", inside="I", last="E"),
    "BIOES": Scheme(single="S", first="B", inside="I", last="E"),
    "BMES": Scheme(single="S", first="B", inside="M", last="E"),
    "BILOU": Scheme(single="U", first="B", inside="I", last="L"),
}
PREFIXES = "BIESLUM"
BRACKETS = "[]"  # the prefixes of the bracket schemes (Tjong Kim Sang & Veenstra 1999), each a span of one word


@dataclass(frozen=True)
class Rules:
    """How spans are read off any tags, legal or not: the pairs of prefixes that have a border between them.

    That is, between words of the same type: between words of different types there always is a border.
    """

    name: str
    borders: frozenset[tuple[str, str]]


# The original conlleval (2004-01-26) to the letter. It was made for B and I, or I and E: between E-X and B-X it sees
# no border, and S-, L-, U- and M- are no prefixes to it.
CONLLEVAL = Rules(
    "conlleval",
    frozenset((pair[0], pair[1]) for pair in "OB OI OE BB IB EE EI".split())
    | {*itertools.product("OBIE", BRACKETS), *itertools.product(BRACKETS, "BIE" + BRACKETS)},
)
# The same, and a border before every B-, S- and U-, and behind every E-, S-, L- and U-.
EXTENDED = Rules(
    "conlleval+ESLU",
    CONLLEVAL.borders
    | {(a, b) for a, b in itertools.product(OUTSIDE + PREFIXES, PREFIXES) if a in "OESLU" or b in "BSU"},
)


def rules_for(tags: Iterable[str]) -> Rules:
    """Return the rules to score a corpus with these tags by: those of conlleval unless there is S-, L-, U- or M-.

    tags: gold and predicted ones, so that whoever scores the same tags reads them by the same rules.
    """
    return EXTENDED if any(split(tag)[0] in {*"SLUM"} for tag in tags) else CONLLEVAL


@functools.lru_cache(4096)
def split(tag: str) -> Parts:
    """Return prefix and type of a tag: what stands before and after its first hyphen, as conlleval has it.

    Outside of all spans, (`O`, ""), are `O`, the `.` of bracket schemes, and a class that is no prefix (`NOUN`).
    """
    prefix, hyphen, label = tag.partition("-")
    outside = prefix in (OUTSIDE, ".") or not (hyphen or prefix in {*PREFIXES, *BRACKETS})
    return NOWHERE if outside else (prefix, label)


def join(prefix: str, label: str) -> str:
    """Return the tag of a prefix and a type, which may be empty."""
    return f"{prefix}-{label}" if label else prefix


def spans(tags: Sequence[str], rules: Rules = EXTENDED) -> list[Span]:
    """Return the spans of a sentence in order, whatever scheme its tags are of, and whether they are legal or not.

    As in conlleval, I-X behind O or another type begins a span. No word lies in two.
    """
    found: list[Span] = []
    start = -1  # of the span that goes on, -1 where none does
    before = NOWHERE
    for i, tag in enumerate((*tags, OUTSIDE)):
        now = NOWHERE if tag == OUTSIDE else split(tag)
        begins = now is not NOWHERE and (now[1] != before[1] or (before[0], now[0]) in rules.borders)
        if start >= 0 and (begins or now is NOWHERE):
            found.append(Span(before[1], start, i))
            start = -1
        if begins:
            start = i
        before = now
    return found


def encode(spans: Iterable[Span], length: int, scheme: str) -> list[str]:
    """Return the tags of a sentence of `length` words with these spans, of which no two overlap."""
    marks = SCHEMES[scheme]
    tags = [OUTSIDE] * length
    ordered = sorted(spans, key=lambda span: span.start)
    touching = [False, *(_touch(*pair) for pair in itertools.pairwise(ordered)), False]
    for i, span in enumerate(ordered):
        size = span.end - span.start
        prefixes = [marks.single] if size == 1 else [marks.first, *[marks.inside] * (size - 2), marks.last]
        if marks.behind and touching[i]:
            prefixes[0] = marks.behind
        if marks.before and touching[i + 1]:
            prefixes[-1] = marks.before
        tags[span.start : span.end] = [join(prefix, span.label) for prefix in prefixes]
    return tags


def _touch(span: Span, other: Span) -> bool:
    """Return whether two spans of one type have nothing between them."""
    return (span.label, span.end) == (other.label, other.start)


def convert(tags: Sequence[str], scheme: str) -> list[str]:
    """Return the tags with the same spans in another scheme ("none": as they are); illegal ones are repaired."""
    return list(tags) if scheme == NONE else encode(spans(tags), len(tags), scheme)


def transitions(tags: Sequence[str], scheme: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether tag b may follow tag a (C, C), and whether a sentence may begin (C,) or end (C,) with a tag.

    A sentence is allowed if and only if `encode` gives these very tags for its spans. For "none" every one is.
    """
    if scheme == NONE:
        return np.ones((len(tags), len(tags)), bool), np.ones(len(tags), bool), np.ones(len(tags), bool)
    marks = SCHEMES[scheme]
    parts = [split(tag) if join(*split(tag)) == tag else ("", tag) for tag in tags]  # "" is nobody's prefix
    begin = np.array([prefix in marks.begins | {OUTSIDE} for prefix, _ in parts], bool)
    end = np.array([prefix in marks.ends | {OUTSIDE} for prefix, _ in parts], bool)
    follow = np.outer(end, begin)
    pairs = marks.pairs
    for (i, (prefix, label)), (j, (next_prefix, next_label)) in itertools.product(enumerate(parts), repeat=2):
        if label == next_label and OUTSIDE not in (prefix, next_prefix):
            follow[i, j] = (prefix, next_prefix) in pairs
    return follow, begin, end


def recognise(sentences: Iterable[Sequence[str]]) -> str:
    """Return the scheme of a corpus' tags; see `recognise_pairs`."""
    corpus = list(sentences)
    pairs = {pair for tags in corpus for pair in itertools.pairwise((OUTSIDE, *tags, OUTSIDE))}
    return recognise_pairs(set().union(*corpus), pairs)


def recognise_pairs(tags: Set[str], pairs: Iterable[tuple[str, str]]) -> str:
    """Return the scheme of tags, "none" if one of them belongs to no scheme, or there are no tags.

    pairs: of neighbouring tags, `O` before the first of a sentence and behind the last. Where I- begins some spans and
    B- others, it is IOB2 that someone did not keep to; IOE2 where I- ends some and E- others. Nothing but `O` is IOB2,
    too.
    """
    prefixes = _prefixes(tags)
    fitting = [name for name, marks in SCHEMES.items() if prefixes <= marks.prefixes | {OUTSIDE}]
    if not fitting or fitting[0] not in ("IOB1", "IOE1"):
        return fitting[0] if fitting else NONE
    parts = [(split(a), split(b)) for a, b in pairs]
    borders = [pair for pair in parts if NOWHERE in pair or pair[0][1] != pair[1][1]]
    if fitting[0] == "IOB1":
        begins = {prefix for _, (prefix, _) in borders}
        return "IOB1" if "I" in begins and "B" not in begins else "IOB2"
    ends = {prefix for (prefix, _), _ in borders}
    return "IOE1" if "I" in ends and "E" not in ends else "IOE2"


def _prefixes(tags: Set[str]) -> set[str]:
    """The prefixes of all tags; one that no scheme has for no tags, for classes, and for letters without `B` or `O`."""
    letters_alone = not tags & {OUTSIDE, "B"} and not any("-" in tag for tag in tags)
    if letters_alone or any(split(tag) == NOWHERE and tag != OUTSIDE for tag in tags):
        return {NONE}
    return {split(tag)[0] for tag in tags}


def make_spans(tags: Mapping[str, int]) -> bool:
    """Return whether tags, with how often each occurs, are to be scored by their spans, or are plain classes.

    They make spans where nothing but `O` occurs, or most of the others have a prefix that some scheme has: a stray tag
    does not turn spans into classes, nor a class that looks like a tag of spans the other way.
    """
    others = {tag: number for tag, number in tags.items() if tag != OUTSIDE}
    inside = sum(number for tag, number in others.items() if split(tag)[0] in {*PREFIXES, *BRACKETS})
    letters_alone = OUTSIDE not in tags and bool(others) and not {"B", *BRACKETS} & others.keys()
    if letters_alone and not any("-" in tag for tag in others):
        return False
    return not others or 2 * inside > sum(others.values())


_ALMOST = (  # how people write tags of spans that are of no scheme here: the letter is the group
    re.compile(f"([{PREFIXES}])[_.:/|+].+"),  # B_PER
    re.compile(f"([{PREFIXES.lower()}])[-_.:/|+].+"),  # b-per
    re.compile(f".+[-_.:/|+]([{PREFIXES}{PREFIXES.lower()}])"),  # PER-B
)


def stranger(tags: Mapping[str, int]) -> str | None:
    """Return of tags without a scheme, with how often each occurs, the one that shows that they were meant as spans.

    None for plain classes. It is the rarest of those that stand beside tags of a scheme; or one written like B_PER,
    b-per or PER-B; or the most frequent type, where most words are outside of all: `PER`, `O`.
    """
    others = sorted((number, tag) for tag, number in tags.items() if tag.upper() != OUTSIDE)
    known = {tag for _, tag in others if split(tag)[0] in {*PREFIXES} and "-" in tag}
    outside = any(tag.upper() == OUTSIDE for tag in tags)
    if any(split(tag)[0] in {*"BI"} for tag in known):
        return next((tag for _, tag in others if tag not in known), others[0][1])
    for form in _ALMOST:
        like = {tag: match[1].upper() for _, tag in others if (match := form.fullmatch(tag))}
        if like and {*like.values()} & {*"BI"} and (outside or len({*like.values()}) > 1):
            return next(iter(like))
    if others and outside and tags.get(OUTSIDE, 0) > others[-1][0]:
        return others[-1][1]
    return None
