"""The watcher of a training: what is under way, how far it is, and what Ctrl-C does meanwhile."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from seqnlp import errors
from seqnlp.cli import bars, terminal

if TYPE_CHECKING:
    from seqnlp.training import progress as progresses

log = logging.getLogger("seqnlp")

QUIET = 60.0  # seconds after which a log that is no terminal is told of the step
SIGNALS = (signal.SIGINT, signal.SIGTERM)
BEFORE = "stopping; no step was made yet, nothing is kept"
AFTER = {
    "evaluating": "stopping without this evaluation, saving; the same command resumes; Ctrl-C once more stops at once",
    "scoring": "stopping without this scoring; the same command resumes; Ctrl-C once more stops at once",
    "step": "stopping after this step, saving; the same command resumes; Ctrl-C once more stops at once",
}
SHOWN = {"evaluating": "evaluating", "scoring": "scoring the best weights"}
NO_SCORES = ("step", "epoch", "best", "learning_rate", "seconds", "loss", "gradient_norm")


class Watcher:
    """Shows the progress of a training, and answers Ctrl-C and SIGTERM from the beginning on."""

    def __init__(self) -> None:
        self.signal = 0
        self.phase = ""  # before the first step
        self.best: float | None = None
        self.first, self.began = 0, 0.0  # the step that this process began with, and when
        self.told = 0.0  # when the last line was written
        self.before: dict[int, Any] = {}  # the handlers of signals before ours
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell sets it for what runs with &
                self.before[number] = signal.signal(number, self._stop)

    def __call__(self, what: str, progress: progresses.Progress) -> None:
        """Take an event of the training loop: resume, start, step, evaluating, evaluation, scoring."""
        if what == "resume":
            best = "" if progress.best is None else f", best {progress.best:.2f}"
            log.info("resuming at step %d%s", progress.step, best)
        elif what == "start":
            self.phase, self.best = "step", progress.best
            self.first, self.began, self.told = progress.step, time.monotonic(), time.monotonic()
            log.info("training%s", f": {progress.total} steps" if progress.total else "")
        elif what == "evaluation":
            self.phase = "step"
            self._tell(progress)
        else:
            self.phase = what
            self._show(progress)

    def stopped(self) -> int:
        """Return the signal that asked to stop, or 0."""
        return self.signal

    def close(self) -> None:
        """Remove the line of progress and restore the signal handlers."""
        terminal.LINE.clear()
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: Any) -> None:
        """Answer a signal at once; the first one stops in good order, a second one at once."""
        if self.signal:
            terminal.LINE.clear()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.signal = number
        message = AFTER[self.phase] if self.phase else BEFORE
        if log.isEnabledFor(logging.WARNING):
            with contextlib.suppress(OSError):  # not through the stream, which may be in the middle of something
                os.write(2, terminal.LINE.above(f"seqnlp: {message}").encode())
        if not self.phase:
            raise errors.Stopped(number, "stopped")

    def _show(self, progress: progresses.Progress) -> None:
        """Show how far the run is: on a terminal always, else from time to time."""
        if not log.isEnabledFor(logging.INFO):
            return
        if terminal.is_one():
            terminal.LINE.show(self._parts(progress), now=self.phase in SHOWN)
        elif time.monotonic() - self.told > QUIET:
            self.told = time.monotonic()
            log.info("%s", terminal.joined(self._parts(progress)[1:], terminal.width()))

    def _tell(self, progress: progresses.Progress) -> None:
        """Say what an evaluation has found."""
        row = progress.history[-1]
        first, *others = (f"{name} {value:.2f}" for name, value in row.items() if name not in NO_SCORES)
        total = f"/{progress.total}" if progress.total else ""
        better = self.best is not None and progress.best != self.best  # the first one is better than nothing
        parts = [
            (0, f"step {row['step']}{total}"),
            (2, f"epoch {row['epoch']:.2f}"),
            (0, f"loss {row['loss']:.3f}"),
            (0, first),
            *((rank, score) for rank, score in enumerate(others, 3)),
            (1, bars.duration(row["seconds"])),
            (0, "best" if better else ""),
        ]
        self.best, self.told = progress.best, time.monotonic()
        log.info("%s", terminal.joined(parts, terminal.width() - len("seqnlp: ")))
        log.debug(
            "gradient norm %.3f, learning rate %.2g, the evaluation took %.1f s, at most %d MB of memory until now",
            *(row["gradient_norm"], row["learning_rate"], progress.evaluation_seconds),
            _memory(),
        )

    def _parts(self, progress: progresses.Progress) -> list[terminal.Part]:
        """Return what the line of progress says."""
        made, passed = progress.step - self.first, time.monotonic() - self.began
        speed = left = ""
        total = f"/{progress.total}" if progress.total else ""
        if self.phase == "step" and made:
            speed = f"{made / passed:.1f} steps/s"
            left = f"{bars.duration((progress.total - progress.step) * passed / made)} left" if progress.total else ""
        return [
            (3, bars.bar(progress.step / progress.total) if progress.total else ""),
            (0, SHOWN.get(self.phase, "")),
            (0, f"step {progress.step}{total}"),
            (0, f"loss {progress.loss:.3f}" if self.phase == "step" and progress.counted else ""),
            (2, speed),
            (1, left),
        ]


def _memory() -> int:
    """Return the greatest memory of this process until now, in megabytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
