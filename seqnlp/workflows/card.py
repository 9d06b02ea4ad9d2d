"""The model card: README.md of a model folder, with the metadata that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seqnlp import version
from seqnlp.io import jsonl
from seqnlp.tasks import registry

REFIT = """These are the scores of the model before it was trained once more, on all rows, those of the development part
too; with the weights as they are now that part cannot measure anything."""
MAX_LABELS = 200  # in the card; labels.json has all


def card(content: Mapping[str, Any], name: str) -> str:
    """Return the card of a model called `name`: what it does, how to use it, how good it is, how it was made.

    content: what config.json holds.
    """
    import yaml  # nobody else needs it

    metadata = yaml.safe_dump(_metadata(content, name), sort_keys=False, allow_unicode=True, width=1000)
    parts = _use(content, name), _scores(content), _labels(content), _data(content)
    return jsonl.without_surrogates(f"---\n{metadata}---\n\n# {name}\n\n" + "\n".join(parts))


def _metadata(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the hub knows a model by (https://huggingface.co/docs/hub/model-cards).

    The license depends on the data, which nobody has told us; nor do we know the language.
    """
    task = content["task"]
    kind = registry.get(task).pipeline_tag
    dev = " + ".join(_dev(content))
    result = {
        "task": {"type": kind or task, "name": task},
        "dataset": {"type": dev, "name": dev, "split": "validation"},
        "metrics": [
            {"type": score["name"], "name": score["signature"], "value": score["value"]} for score in content["scores"]
        ],
    }
    return {
        "license": "unknown",
        "library_name": "seqnlp",
        **({"pipeline_tag": kind} if kind else {}),
        "tags": list(dict.fromkeys(filter(None, ["seqnlp", task, content["config"].get("cell")]))),
        "model-index": [{"name": name, "results": [result]}],
    }


def _dev(content: Mapping[str, Any]) -> list[str]:
    """The names of the files that the model was chosen by: those of training, where a part of them was."""
    digests = content["run"]["dev"] or ()
    names = [name for name, digest in content["data"].items() if digest in digests] or list(content["data"])
    return list(map(_file, names))


def _file(path: str) -> str:
    """The name of a file alone: where it lay is nobody's business."""
    return path.rsplit("/", 1)[-1]


def _use(content: Mapping[str, Any], name: str) -> str:
    task = content["task"]
    return f"""A model to {registry.REGISTRY[task]}; trained from scratch with seqnlp {version.__version__}.
{_fields(content)}
```sh
seqnlp {task} predict {name} FILE
seqnlp {task} eval {name} TEST
```

```python
import seqnlp

seqnlp.load({name!r}).predict([...])
```
"""


def _fields(content: Mapping[str, Any]) -> str:
    """What it reads without being told."""
    known = content.get("schema") or {"format": None, "fields": {}}
    fields = [f"{role} from `{' + '.join(names)}`" for role, names in known["fields"].items()]
    if not known["format"]:
        return ""
    return f"It reads {known['format']} as its corpus was{': ' if fields else ''}{', '.join(fields)}.\n"


def _scores(content: Mapping[str, Any]) -> str:
    rows = [
        [score["name"], f"{score['value']:.2f}", _range(score["interval"]), score["n"], f"`{score['signature']}`"]
        for score in content["scores"]
    ]
    table = _table(["score", "value", "95% interval", "items", "signature"], rows)
    note = f"\n{REFIT}\n" if content["refit"] else ""
    return f"## Scores on the development part\n\n{table}{note}"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _labels(content: Mapping[str, Any]) -> str:
    """Each label with its count in training, and its scores on the development part."""
    counts, classes = content["labels"], content["details"].get("classes", {})
    names = sorted({*counts, *classes}, key=lambda name: (-counts.get(name, 0), name))
    if not names:
        return ""
    measures = ("precision", "recall", "f1", "support")
    rows = [[name, counts.get(name, 0), *_cells(classes.get(name), measures)] for name in names[:MAX_LABELS]]
    table = _table(["label", "in training", "precision", "recall", "f1", "in development"], rows)
    more = f"\nand {len(names) - MAX_LABELS} more, in labels.json\n" if len(names) > MAX_LABELS else ""
    return f"## Labels\n\n{table}{more}"


def _cells(row: Mapping[str, Any] | None, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield "" if row is None else str(row[name]) if name == "support" else f"{row[name]:.2f}"


def _data(content: Mapping[str, Any]) -> str:
    sizes = content["sizes"]
    data = "".join(f"- {_cell(_file(name))} (sha256 `{digest}`)\n" for name, digest in content["data"].items())
    again = ", trained once more on all examples" if content["refit"] else ""
    return f"""## Data and training

{data}
{sizes["train"]:,} examples to train on, {sizes["dev"]:,} to choose the weights by. {content["date"][:10]}, in
{content["seconds"]:.0f} seconds, seed {content["training"]["seed"]}: the weights of step {content["step"]} of \
{content["steps"]}, {sizes["parameters"]:,} parameters{again}.

config.json holds every setting; history.jsonl has one line for each evaluation. The license is for you to say: it
depends on the data.
"""


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: Any) -> str:
    """A text that neither ends a cell nor means anything to Markdown or HTML."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
