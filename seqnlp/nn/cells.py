"""The recurrent cells: one table from a cell's name to its layer."""

from __future__ import annotations

from seqnlp.nn.clockwork import Clockwork
from seqnlp.nn.kernels import Gru, Lstm, ReluRnn, Rnn
from seqnlp.nn.layer import Layer, State
from seqnlp.nn.linear_recurrence import MinGru, MinLstm, RgLru, Ssru

__all__ = ["CELLS", "Layer", "State", "layer"]

CELLS: dict[str, type[Layer]] = {
    "lstm": Lstm,
    "gru": Gru,
    "rnn": Rnn,
    "rnn-relu": ReluRnn,
    "clockwork": Clockwork,
    "mingru": MinGru,
    "minlstm": MinLstm,
    "ssru": Ssru,
    "rglru": RgLru,
}


def layer(cell: str, inputs: int, hidden_size: int, *, bidirectional: bool = False, init: str = "orthogonal") -> Layer:
    """Return a layer of a cell in `CELLS`, its weights set by `init`, "orthogonal" or "xavier"."""
    made = CELLS[cell](inputs, hidden_size, bidirectional=bidirectional)
    made.initialise(init)
    return made
