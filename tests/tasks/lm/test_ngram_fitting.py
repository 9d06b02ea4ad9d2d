"""What n-grams are counted in: the rows one after the other, of a very long text the beginning."""

import numpy as np
import pytest

from seqnlp.preprocess.corpora import arrow
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.lm import ngram_fitting


class Rows:
    def __init__(self, lines):
        self.lines, self.lengths = lines, np.array([[len(line)] for line in lines])

    def columns(self, numbers):
        return {"ids": [self.lines[number] for number in numbers]}


LINES = [[7, 8, 3], [3], [9, 7, 8, 3], [5, 3]]
TEXT = [7, 8, 3, 3, 9, 7, 8, 3, 5, 3]


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_rows_are_one_text_after_a_lines_end(monkeypatch, chunk):
    monkeypatch.setattr(arrow, "CHUNK", chunk)
    assert ngram_fitting.beginning(Rows(LINES)).tolist() == [tokenizer.END, *TEXT]


@pytest.mark.parametrize(("most", "said"), [(10, False), (9, True), (1, True)])
def test_of_a_very_long_text_the_beginning_is_taken_and_that_is_said(monkeypatch, caplog, most, said):
    monkeypatch.setattr(ngram_fitting, "MAX_TOKENS", most)
    assert ngram_fitting.beginning(Rows(LINES)).tolist() == [tokenizer.END, *TEXT][: most + 1]
    assert (f"in the first {most} tokens" in caplog.text) == said
