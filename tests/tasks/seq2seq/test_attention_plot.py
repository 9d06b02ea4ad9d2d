"""Pictures: a heat map as PNG, of whatever size and in whatever script; and what is said without matplotlib."""

import struct
import sys

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.tasks.seq2seq import attention_plot

PIECES = ["drei", " Bü", "ch", "er", "</s>"]


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draw attention: `drawn(parts, source, target)` returns (width, height) of the picture, and what is shown."""
    axes = pytest.importorskip("matplotlib.axes")
    shown, imshow = [], axes.Axes.imshow

    def spy(self, weights, **options):
        shown.append(weights)
        return imshow(self, weights, **options)

    monkeypatch.setattr(axes.Axes, "imshow", spy)

    def run(parts, source, target):
        path = tmp_path / "x.png"
        attention_plot.attention(path, parts, source, target)
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert list(tmp_path.iterdir()) == [path]
        return struct.unpack(">II", content[16:24]), shown[-1]

    return run


def weights(rows, columns):
    return np.random.default_rng(1).dirichlet(np.ones(columns), rows)


def test_a_column_for_each_piece_of_the_source_a_row_for_each_of_the_target(drawn):
    part = weights(3, 5)
    (width, height), shown = drawn([part], PIECES, ["three", " boo", "ks"])
    assert np.array_equal(shown, part)
    (wider, _), _ = drawn([weights(3, 9)], PIECES + PIECES[:4], ["three", " boo", "ks"])
    (_, higher), _ = drawn([weights(7, 5)], PIECES, ["a"] * 7)
    assert wider > width and higher > height


def test_parts_of_a_source_lie_below_and_beside_each_other(drawn):
    parts = [weights(2, 3), weights(1, 2)]
    _, shown = drawn(parts, PIECES, ["a", "b", "c"])
    assert np.array_equal(shown[:2, :3], parts[0]) and np.array_equal(shown[2:, 3:], parts[1])
    assert not shown[:2, 3:].any() and not shown[2:, :3].any()


def test_an_answer_without_pieces_has_a_picture(drawn):
    _, shown = drawn([np.zeros((0, 5))], PIECES, [])
    assert not shown.any()


def test_of_a_long_text_the_beginning_is_shown(drawn, monkeypatch):
    monkeypatch.setattr(attention_plot, "MAX_PIECES", 7)
    parts = [weights(4, 5), weights(4, 5), weights(4, 5)]
    _, shown = drawn(parts, PIECES * 3, ["a"] * 12)
    assert shown.shape == (7, 7)
    assert np.array_equal(shown[:4, :5], parts[0]) and np.array_equal(shown[4:, 5:], parts[1][:3, :2])


def test_pieces_of_any_script_and_signs_of_mathematics_are_shown_as_they_are(drawn, recwarn):
    drawn([weights(3, 7)], ["$x^{", "$", "$_{$", "\\", "中文", "\t\x01", "\ufffd"], ["$_", "🎉", "\u202eا"])
    assert not recwarn


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(errors.UsageError) as error:
        attention_plot.check()
    assert str(error.value) == "pictures need matplotlib; hint: pip install 'seqnlp[plot]'"


def test_with_matplotlib_nothing_is_said():
    pytest.importorskip("matplotlib")
    attention_plot.check()
