"""A corpus of texts and one of pairs, and the folders that encode and pack make of them."""

import dataclasses
import sys
import types

import pyarrow
import pytest

from seqnlp import options
from seqnlp.preprocess.corpora import examples, readers, schema
from seqnlp.tasks import registry
from seqnlp.workflows import encode, pack

STRANGE = " \u2028\u00e4\U0001f600"

TEXTS = "".join(
    f"{'so good ' * (n % 7)}it was number {n}{STRANGE * (n % 2)}\t{'pos' if n % 3 else 'neg'}\n" for n in range(50)
)

SMALL = dict(char_ngram_buckets=11, min_count=1)


@pytest.fixture
def source(tmp_path):
    """A corpus of texts and labels."""
    (tmp_path / "x.tsv").write_text(TEXTS, encoding="utf-8")
    return schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})


@pytest.fixture
def classify():
    return registry.get("classify")


@pytest.fixture
def encoded(tmp_path, source, classify):
    """The folder of the encoded corpus."""
    encode.encode(classify, source, classify.Config(**SMALL), tmp_path / "encoded")
    return tmp_path / "encoded"


@pytest.fixture
def packed(encoded, tmp_path):
    pack.pack(str(encoded), tmp_path / "packed", max_tokens=30, batch_size=4)
    return tmp_path / "packed"


@dataclasses.dataclass(frozen=True)
class Config:
    """What makes a pair."""

    longest: int = options.option(9, "Most words.", group=options.TEXT)
    size: int = options.option(3, "Of what is built.")


class Codec:
    """A word is as many as its letters."""

    def encode(self, example, *, fitted=False):
        source, target = (list(map(len, text.split())) for text in (example.source, example.target))
        return {"source": source, "target": target, "lengths": [len(source), len(target)]}

    def features(self):
        numbers = pyarrow.list_(pyarrow.int32())
        return {"source": numbers, "target": numbers, "lengths": numbers}

    def save(self, folder):
        (folder / "codec.json").write_text("{}")
        return ["codec.json"]


def read(source, config):
    for record in readers.records(source, ("source", "target"), targets=True):
        yield examples.Example(*record.values.values(), record.raw, record.file, record.line)


@pytest.fixture
def pairs(monkeypatch):
    """The task."""
    task = types.SimpleNamespace(
        name="pairs",
        Config=Config,
        preview_columns=("source", "target"),
        read=read,
        fit=lambda part, config, given: (config, Codec()),
        cuts=lambda row: False,
        is_trainable=lambda row, config: max(row["lengths"]) <= config.longest,
        files=lambda config: [],
        Codec=types.SimpleNamespace(load=lambda folder, config: Codec()),
    )
    monkeypatch.setitem(registry.REGISTRY, "pairs", "join what belongs together")
    monkeypatch.setitem(sys.modules, "seqnlp.tasks.pairs.task", types.SimpleNamespace(TASK=task))
    return task


LENGTHS = [(1 + n * 7 % 11, 1 + n * 5 % 13) for n in range(40)]


@pytest.fixture
def paired(tmp_path, pairs):
    """An encoded corpus of pairs, those of more than nine words left out."""
    lines = (f"{'a ' * (n % 5 + 1)}{'bb ' * (one - n % 5 - 1)}\t{'c ' * two}\n" for n, (one, two) in enumerate(LENGTHS))
    (tmp_path / "x.tsv").write_text("".join(lines))
    encode.encode(pairs, schema.Source((str(tmp_path / "x.tsv"),)), Config(), tmp_path / "paired")
    return tmp_path / "paired"


@pytest.fixture(params=["encoded", "paired"])
def unpacked(request):
    """Texts and pairs."""
    return request.getfixturevalue(request.param)
