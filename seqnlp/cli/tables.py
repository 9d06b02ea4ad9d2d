"""Tables: what a terminal shows of a result, no wider than it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

MAX_CLASSES = 20  # of more those with the lowest F1 are shown
MAX_CONFUSIONS = 5
OVER = re.compile(r"\|(?:average|of):(\w+)")  # what a score is a mean of, in its signature
ERRORS = {  # of spans
    "missed": "missed",
    "spurious": "spurious",
    "type": "wrong type",
    "boundary": "wrong boundary",
}


def console() -> Console:
    """Return what prints to the terminal, in its width; plain letters where NO_COLOR is set (no-color.org)."""
    from rich import console

    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    return console.Console(markup=False, highlight=False, emoji=False, **plain)


def rows(content: Mapping[str, str]) -> None:
    """Print names and what each is, one below the other."""
    from rich import table, text

    shown = table.Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="bold", no_wrap=True)
    for name, value in content.items():
        shown.add_row(name, text.Text(value, overflow="fold"))
    console().print(shown)


def result(content: Mapping[str, Any]) -> None:
    """Print the one result of train, eval or score: the scores, and what is wrong where."""
    details = content["details"]
    scores = [[_name(row), f"{row['value']:.2f}", _interval(row["interval"])] for row in content["scores"]]
    _table(["score", "value", "95% interval"], scores, numbers=2)
    console().print(_over(content))
    if len(classes := details.get("classes", {})) > 1:
        _classes(classes)
    if confusions := details.get("confusions"):
        top = [[row["gold"], row["predicted"], str(row["count"])] for row in confusions[:MAX_CONFUSIONS]]
        _table(["most confused: gold", "predicted", "times"], top, numbers=1)
    if errors := details.get("errors"):
        _table(["spans that are wrong", "times"], [[ERRORS[kind], f"{errors[kind]:,}"] for kind in ERRORS], numbers=1)
    if baselines := details.get("baselines"):
        _baselines(baselines)
    if words := details.get("words"):
        known = [[kind, f"{row['accuracy']:.2f}", f"{row['count']:,}"] for kind, row in words.items()]
        _table(["words", "accuracy", "in the text"], known, numbers=2)
    if selective := details.get("selective"):
        _selective(**selective)
    _forecasts(details)
    if "model" in content:
        console().print(f"{content['model']}  seed {content['seed']}  {content['seconds']:.0f} s", soft_wrap=True)


def _selective(table: Iterable[Mapping[str, float]], proposed: Mapping[str, Any]) -> None:
    """Print how many answers a --min-score lets through, how accurate they are, and which one is proposed."""
    lines = [[f"{row['min_score']:g}", f"{row['coverage']:.2f}", f"{row['accuracy']:.2f}"] for row in table]
    _table(["--min-score", "answered, %", "accuracy"], lines, numbers=3)
    wanted, cut = f"an accuracy of {proposed['wanted']:g}", proposed["min_score"]
    console().print(
        f"no --min-score gives {wanted}\n"
        if cut is None
        else f"--min-score {cut:g} gives {wanted}: {proposed['coverage']:.2f}% answered, {proposed['accuracy']:.2f}\n"
    )


def _name(score: Mapping[str, Any]) -> str:
    """A score's name, over what it is averaged, and where lower is better."""
    over = OVER.search(score["signature"])
    notes = [over[1]] if over else []
    notes += [] if score["higher_is_better"] else ["lower is better"]
    return f"{score['name']} ({', '.join(notes)})" if notes else str(score["name"])


def _interval(ends: Sequence[float] | None) -> str:
    return "" if ends is None else "{:.2f} to {:.2f}".format(*ends)


def _over(content: Mapping[str, Any]) -> str:
    """What an item is, how many there are, and what else there is to say of them."""
    details, number = content["details"], content["scores"][0]["n"]
    found = [f"{number:,} {details.get('items', 'items')}"]
    if "coverage" in details:
        found.append(f"{details['coverage']:.2f}% of them answered")
    if summaries := details.get("summaries"):
        found.append(
            "{copied:.1f}% of the words copied, {length_ratio:.2f} times as long as the references, "
            "{repeats:.1f}% say something twice".format(**summaries)
        )
    if details.get("unseen"):
        found.append(f"{details['unseen']:,} labels that training never saw")
    if "calibration_error" in details:
        found.append(f"expected calibration error {details['calibration_error']:.2f}")
    if content.get("refit"):
        found.append("split off; the model then learnt from them too")
    return ", ".join(found) + "\n"


def _forecasts(details: Mapping[str, Any]) -> None:
    """Print the errors of forecasts by each method, and what lies in their intervals."""
    if methods := details.get("methods"):
        names = list(next(iter(methods.values())))
        shown = [[f"{name} *" if name == details["method"] else name] + [f"{row[key]:.2f}" for key in names]
                 for name, row in methods.items()]  # fmt: skip
        _table(["method (* is taken)", *names], shown, numbers=len(names))
    if intervals := details.get("intervals"):
        held = [[f"{level}%", f"{row['coverage']:.1f}%", f"{row['width']:.2f}"] for level, row in intervals.items()]
        _table(["interval", "holds", "mean width"], held, numbers=2)


def _classes(classes: Mapping[str, Mapping[str, float]]) -> None:
    """Print the scores of each class; of many those that need it most."""
    shown, title = list(classes.items()), "class"
    if len(shown) > MAX_CLASSES:
        shown = sorted(shown, key=lambda item: (item[1]["f1"], -item[1]["support"]))[:MAX_CLASSES]
        title = f"lowest f1 of {len(classes):,} classes"
    measures = ("precision", "recall", "f1")
    lines = [[name, *(f"{row[key]:.2f}" for key in measures), f"{row['support']:,}"] for name, row in shown]
    _table([title, *measures, "support"], lines, numbers=4)


def _baselines(baselines: Mapping[str, Mapping[str, float]]) -> None:
    """Print the scores of what needs no model."""
    names = list(next(iter(baselines.values())))
    lines = [[title, *(f"{row[name]:.2f}" for name in names)] for title, row in baselines.items()]
    _table(["without a model", *names], lines, numbers=len(names))


def _table(header: Sequence[str], lines: Iterable[Sequence[str]], *, numbers: int) -> None:
    """Print a table; its last columns are numbers."""
    from rich import table, text

    shown = table.Table(box=None, header_style="bold", pad_edge=False)
    for place, name in enumerate(header):
        number = place >= len(header) - numbers
        shown.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for line in lines:
        shown.add_row(*map(text.Text, line))
    console().print(shown)
    console().print()
