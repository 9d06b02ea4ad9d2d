"""References: the target texts of a file, each line one, or those of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqnlp import errors
from seqnlp.preprocess.corpora import readers, schema


def read(source: schema.Source, path: str, roles: Sequence[str]) -> tuple[list[str], bool]:
    """Return the texts of a file, and whether it is a corpus, of which they are the targets.

    source: how to read it; roles: of a corpus, the input and the target; its inputs may be missing, and where one is
    blank there is nothing to score. Raises `DataError`.
    """
    role = roles[1]
    columns = {role: name for role, name in source.columns.items() if role in roles}
    has_inputs = not columns or roles[0] in columns
    columns = {roles[0]: columns.get(role, role), **columns} if columns else {}
    source = replace(source, paths=(path,), columns=columns, schemas={})
    found = []
    for record in readers.records(source, roles, targets=True, answers=True):
        text = record.values[role]
        if has_inputs and not str(record.values.get(roles[0], "-")).strip():
            continue
        if not isinstance(text, str):
            raise errors.DataError(f"{record.where}: the {role} is no text", f"name its field with --{role}-field")
        found.append(text)
    return found, source.schema is not None and roles[0] in source.schema.fields
