"""Check: what a corpus holds, and what may be wrong with it, before a model learns from it; nothing is trained."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.checks import base as checks
from seqnlp.preprocess.corpora import schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base, registry

LOOKED_AT = 200  # examples that tell a task

Configs = Mapping[str, Any]  # the settings of each task, by its name


def check(task: str | None, train: schema.Source, dev: schema.Source | None, configs: Configs) -> dict[str, Any]:
    """Return what there is to say about a corpus, and about its dev part where there is one; see docs/check.md.

    task: None to tell it from the corpus. Raises `UsageError` where that cannot be done, `DataError` for what cannot be
    read.
    """
    begin = time.monotonic()
    parts = {part: _opened(one) for part, one in ((checks.TRAIN, train), (checks.DEV, dev)) if one is not None}
    made = registry.get(task) if task else told(parts[checks.TRAIN], configs)
    config = configs[made.name]
    looking = made.checks(config)
    readers = {part: _Reader(made, one, config) for part, one in parts.items()}
    if dev is not None:
        readers[checks.DEV].after = readers[checks.TRAIN]
    findings = checks.run(looking, readers)
    counts = {level: sum(one.level == level for one in findings) for level in checks.LEVELS}
    return {
        "task": made.name,
        "recognised": {name: text for reader in readers.values() for name, text in reader.recognised.items()},
        **{topic: value for one in looking for topic, value in one.summary().items()},
        "findings": [finding.to_dict() for finding in findings],
        "counts": counts,
        "seconds": round(time.monotonic() - begin, 1),
        "data": {name: digest for reader in readers.values() for name, digest in reader.hashes.items()},
    }


def _opened(source: schema.Source) -> schema.Source:
    if source.encoded:
        raise errors.UsageError(f"{source.encoded}: is encoded, check takes text", "check what it was made of")
    return schema.copied(source)


class _Reader:
    """Reads a part anew each time that it is called; raises `DataError` where there is nothing in it."""

    def __init__(self, task: base.AnyTask, source: schema.Source, config: Any) -> None:
        self.task, self.source, self.config = task, source, config
        self.after: _Reader | None = None  # the part whose form this one has
        self.recognised: dict[str, str] = {}
        self.hashes: dict[str, str] = {}

    def __call__(self) -> Iterator[Example]:
        again = bool(self.hashes)
        remembered = self.after.source.schema if self.after else None
        source = replace(self.source, digests={}, schemas={}, remembered=remembered)
        with _silent() if again else contextlib.nullcontext():
            empty = True
            for example in self.task.read(source, self.config):
                empty = False
                yield example
        if empty:
            raise errors.DataError(f"{source.title}: no examples", "is this the right file?")
        self.source.schemas.update(source.schemas)
        self.recognised = {source.name(path): str(found) for path, found in source.schemas.items()}
        self.hashes = source.hashes()


def told(source: schema.Source, configs: Configs) -> base.AnyTask:
    """Return the task that a corpus is for: that of the fields which are named, else the one that its rows look like.

    Any text is one for a task that asks for nothing else: such a task has to be named. Raises `UsageError` where it
    could be for several, or for none.
    """
    every = [task for task in map(registry.get, registry.REGISTRY) if len(task.roles) > 1]
    tasks = [task for task in every if source.columns.keys() <= {*task.roles}]
    found = tasks if source.columns and len(tasks) == 1 else [task for task in tasks if _looks(task, source, configs)]
    if len(found) == 1:
        return found[0]
    names = [task.name for task in found] or list(registry.REGISTRY)
    raise errors.UsageError(f"{source.title}: cannot tell what it is for", f"--task says it: {', '.join(names)}")


def _looks(task: base.AnyTask, source: schema.Source, configs: Configs) -> bool:
    """Return whether a corpus can be read for a task, and looks as if it were for it."""
    fresh = replace(source, schemas={}, digests=None)
    with contextlib.suppress(errors.SeqnlpError), _silent():
        first = list(itertools.islice(task.read(fresh, configs[task.name]), LOOKED_AT))
        return bool(first) and task.recognises(first)
    return False


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Say nothing of what is read: it is said another time."""
    log = logging.getLogger("seqnlp")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
