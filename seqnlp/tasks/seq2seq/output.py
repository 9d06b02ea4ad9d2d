"""Output: how answers are written, each with its score where that is asked for, and read back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import outputs
from seqnlp.tasks.seq2seq import attention_plot
from seqnlp.tasks.seq2seq.codec import Codec
from seqnlp.tasks.seq2seq.options import Network, Search
from seqnlp.tasks.seq2seq.prediction import Prediction

ConfigT = TypeVar("ConfigT", bound=Network)
SearchT = TypeVar("SearchT", bound=Search)
CodecT = TypeVar("CodecT", bound=Codec)


class Output(outputs.Output[ConfigT, SearchT, CodecT, Prediction]):
    """Answers; a task adds what they score."""

    def check(self, search: SearchT, form: str, config: ConfigT | None = None) -> None:
        if search.attention_weights and form != "jsonl":
            raise errors.UsageError(f"--attention-weights has no place in {form}", "--to jsonl")
        if search.score_reference and search.nbest > 1:
            raise errors.UsageError("--nbest has no effect with --score-reference")

    def value(self, example: Example, prediction: Prediction, codec: CodecT) -> dict[str, Any]:
        """Return text, score, n-best, what the task says of its quality, and the attention if asked for."""
        best = prediction.best
        found = {
            "text": best.text,
            "score": round(best.score, 4),
            "nbest": [{"text": one.text, "score": round(one.score, 4)} for one in prediction.every],
            **self.quality(example, prediction, codec),
        }
        if prediction.attention_weights:
            weights = [part.astype(np.float64).round(3).tolist() for part in best.attention]
            found["attention"] = {"source": prediction.source, "target": best.subwords, "weights": weights}
        return found

    def quality(self, example: Example, prediction: Prediction, codec: CodecT) -> dict[str, Any]:
        """Return what more JSON holds of a prediction."""
        return {}

    def write(self, example: Example, prediction: Prediction | None, form: str, search: SearchT, codec: CodecT) -> str:
        """Return the best answer as a line; with --score-reference the score of the one that was given."""
        if prediction is None:
            return ""
        return f"{prediction.best.score:.6f}" if search.score_reference else prediction.best.text

    def ranked(self, example: Example, prediction: Prediction, search: SearchT) -> list[tuple[str, float]] | None:
        return None if search.nbest == 1 else [(one.text, one.score) for one in prediction.every]

    def columns(self, given: Sequence[str] | None, search: SearchT) -> list[str]:
        """Return answer and score, again with a number for each more of --nbest."""
        return outputs.ranked_columns(self.column, search.nbest)

    def cells(self, example: Example, prediction: Prediction, search: SearchT, codec: CodecT) -> dict[str, str]:
        return outputs.ranked_cells(self.column, ((one.text, f"{one.score:.4f}") for one in prediction.every))

    def warnings_of(self, prediction: Prediction) -> Sequence[str]:
        return prediction.warnings

    @contextlib.contextmanager
    def side_outputs(self, search: SearchT) -> Iterator[Callable[[Example, Prediction], None]]:
        if search.plot_attention is None:
            yield lambda example, prediction: None
            return
        folder = attention_plot.folder(search.plot_attention)
        yield lambda example, prediction: attention_plot.of_prediction(folder, example.line, prediction)

    def parse(self, written: Any, config: ConfigT) -> str:
        """Return the text in what `write` or `value` gave."""
        text = written["text"] if isinstance(written, Mapping) else written
        if not isinstance(text, str):
            raise ValueError(text)
        return jsonl.without_surrogates(text)
