"""Pack: the rows of an encoded corpus in the order of their buckets, with the plan that batches are drawn by."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seqnlp import errors
from seqnlp.io import atomic, jsonl
from seqnlp.preprocess.batching import buckets, packing
from seqnlp.preprocess.corpora import arrow
from seqnlp.workflows import encoded


def pack(
    name: str, output: Path, *, max_tokens: int | None, batch_size: int, overwrite: bool = False
) -> dict[str, Any]:
    """Write the rows of an encoded corpus in the order of their buckets, with the plan; return the report."""
    encoded.check_output(output, overwrite)
    source = encoded.open_folder(name)
    if source.plan is not None:  # its rows have lost the order that a plan begins with
        raise errors.UsageError(f"{name}: is packed already", "pack the folder that encode made")
    rows = arrow.Rows(source.table)
    limits = buckets.Limits(max_tokens or buckets.budget(rows.lengths), batch_size)
    plan = buckets.plan(rows.lengths, limits)
    order = buckets.buckets(rows.lengths, plan).argsort(kind="stable")
    with atomic.atomic_folder(output, replace=overwrite) as folder:
        arrow.write(folder / encoded.ROWS, rows.in_order(order), source.table.schema)
        for file in source.content["files"]:
            shutil.copyfile(source.path / file, folder / file)
        jsonl.write_json(folder / encoded.PLAN, {"edges": plan.edges, **asdict(limits)})
        encoded.describe(folder, source.content, [encoded.ROWS, encoded.PLAN])
    return packing.report(rows.lengths, plan)
