"""Watched: the rows of train and dev as training comes by them, remembered, and looked at for what costs nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from seqnlp.checks import base as checks
from seqnlp.preprocess.corpora import fingerprints, seen
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base

log = logging.getLogger(__name__)

REPEATED = "the corpus repeats itself: of the rows split off for dev %d are trained on too: its score gains by it"


class Watched:
    """What has come by: the fingerprints of both parts' inputs, and what the quick checks of a task saw."""

    def __init__(self, task: base.AnyTask, config: Any) -> None:
        self.checks = [check for check in task.checks(config) if check.quick]
        self.inputs = {part: seen.Sketch() for part in checks.PARTS}

    def through(self, corpus: Iterable[Example], part: str) -> Iterator[Example]:
        """Yield the examples of a part, and see each."""
        for example in corpus:
            self.inputs[part].add(fingerprints.of(example.source))
            for check in self.checks:
                check.see(example, part)
            yield example

    def all_of(self, corpus: Iterable[Example], part: str) -> None:
        """See the examples of a part that nobody reads otherwise."""
        for _ in self.through(corpus, part):
            pass

    def say(self, *, split: bool = False) -> None:
        """Warn of what may be wrong, a line each; `seqnlp check` tells the rest.

        split: dev was split off by us, so that what is in both parts is no fault of the person's.
        """
        for finding in checks.ranked(self.checks):
            if split and finding.check == "overlap":
                log.info(REPEATED, finding.count)
            elif finding.level != checks.NOTE:
                log.warning("%s", finding)

    def seen(self, before: seen.Seen | None, *, refits: bool = False) -> seen.Seen:
        """Return what to remember; before: what the model to start from has seen; refits: it trains on dev too."""
        train, dev = (self.inputs[part].values() for part in checks.PARTS)
        found = seen.Seen.of(np.concatenate([train, dev]) if refits else train, dev)
        return found.joined(before) if before else found
