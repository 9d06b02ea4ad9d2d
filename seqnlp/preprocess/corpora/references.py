"""References: the target texts of a file, each line one, or those of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqnlp import errors
from seqnlp.preprocess.corpora import content, detect, readers, schema


def read(source: schema.Source, path: str, roles: Sequence[str]) -> tuple[list[str], bool]:
    """Return the texts of a file, and whether it is a corpus, of which they are the targets.

    source: how to read it; roles: of a corpus, the input and the target.
    """
    source = schema.copied(replace(source, paths=(path,)))
    (path,) = source.paths
    own = replace(source, columns={role: name for role, name in source.columns.items() if role in roles})
    if not detect.is_table(path, own) and detect.format_of(path, own, targets=False) == "text":
        lines = list(source.lines(path))
        if not content.is_tabbed(lines, 1):
            return lines, False
        source = replace(source, format="tsv")
    return of_corpus(source, roles), True


def of_corpus(source: schema.Source, roles: Sequence[str]) -> list[str]:
    """Return the targets of a corpus; nobody looks at its inputs, which may be missing. Raises `DataError`."""
    role = roles[1]
    columns = {role: name for role, name in source.columns.items() if role in roles}
    source = replace(source, columns={roles[0]: columns.get(role, role), **columns} if columns else {})
    found = []
    for record in readers.records(source, roles, targets=True):
        text = record.values[role]
        if not isinstance(text, str):
            raise errors.DataError(f"{record.where}: the {role} is no text", f"name its field with --{role}-field")
        found.append(text)
    return found
