"""Texts to be scored: the targets of references, one or more files of them, and what was predicted."""

from __future__ import annotations

from seqnlp.preprocess.corpora import detect, references, schema
from seqnlp.tasks import registry
from seqnlp.workflows import printed


def of_references(source: schema.Source, path: str) -> tuple[list[str], bool]:
    """Return the texts of a file, its lines or a corpus's targets, and whether it is a corpus.

    source: how to read it.
    """
    return references.read(source, path, roles(source))


def roles(source: schema.Source) -> tuple[str, ...]:
    """Return the roles of a corpus of texts: those of the task whose fields are named, else those that fit any."""
    tasks = registry.that_predict("texts")
    return next((task.roles for task in tasks if source.columns.keys() & {*task.roles}), tasks[0].roles)


def hypotheses(said: schema.Source, number: int) -> list[str]:
    """Return the predicted texts: plain lines, the JSON of predict, its table, or the targets of a corpus.

    said: the file, or a copy of what can be read only once; number: of the references, in which a corpus has no line
    for a blank input, where predict answers each with another.
    """
    found = _written(said)
    return found if number in (len(found), 0) else [text for text in found if text.strip()]


def _written(said: schema.Source) -> list[str]:
    (path,), tasks = said.paths, registry.that_predict("texts")
    name = said.name(path)
    lines = [] if detect.is_table(path, said) else list(said.lines(path))
    if lines and printed.is_json(lines, detect.by_name(path, said) or ""):
        numbered = ((line, f"{name}:{number}") for number, line in enumerate(lines, 1))
        texts = [printed.from_json(line, where, tasks, None) if line.strip() else "" for line, where in numbered]
    elif (table := printed.in_table(lines, name, tasks, None)) is not None:
        texts = table
    else:
        texts, _ = references.read(said, path, roles(said))
    return ["" if text is None else text for text in texts]
