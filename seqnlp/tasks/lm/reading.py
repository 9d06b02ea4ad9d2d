"""Reading: a corpus as lines, blank ones too, and its last tenth as the dev part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from seqnlp.preprocess.corpora import examples, formats
from seqnlp.preprocess.corpora.examples import Example

ROLES = ("text",)
DEV = 10  # one in so many characters is for dev, those at the end
FEW = 10  # lines, under which the parts are cut inside of a line


def labelled(record: formats.Record) -> Example:
    """Return the example of a line; what is to be foreseen is the line itself."""
    text = record.text(ROLES[0])
    return Example(text, text, record.raw, record.file, record.line)


def last_tenth(corpus: examples.Examples) -> tuple[examples.Examples, examples.Examples]:
    """Return train and dev: all up to the last tenth of the characters, and the rest, in order."""
    sizes = [len(example.source) + 1 for example in corpus]  # with the line's end
    first = sum(sizes) - sum(sizes) // DEV  # the character that dev begins with
    line, before = 0, 0
    while line < len(sizes) - 1 and before + sizes[line] <= first:
        before += sizes[line]
        line += 1
    inside = first - before if len(sizes) < FEW else 0  # of the line that is cut

    def train() -> Iterator[Example]:
        for number, example in enumerate(corpus):
            if number < line:
                yield example
            elif number == line and inside:
                yield _part(example, slice(inside))

    def dev() -> Iterator[Example]:
        for number, example in enumerate(corpus):
            if number > line or (number == line and not inside):
                yield example
            elif number == line:
                yield _part(example, slice(inside, None))

    return examples.Examples(train, line + bool(inside)), examples.Examples(dev, len(sizes) - line)


def _part(example: Example, part: slice) -> Example:
    return replace(example, source=example.source[part], target=example.target[part])
