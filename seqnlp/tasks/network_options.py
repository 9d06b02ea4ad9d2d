"""Options that every task has: how text is normalised, and the sizes of a recurrent network."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp.options import option
from seqnlp.preprocess.text import normalize

# The rows of nn.cells, which are here because help must not wait for torch.
CELLS = ("lstm", "gru", "rnn", "rnn-relu", "clockwork", "mingru", "minlstm", "ssru", "rglru")


@dataclass(frozen=True)
class NetworkOptions:
    """The options of every network; a task redeclares those that it wants otherwise."""

    normalize: str = option(
        "nfkc,lower",
        f"Normalisation steps, separated by commas: {', '.join(normalize.STEPS)}; or none.",
        group="Text",
        metavar="STEPS",
    )
    embedding_size: int = option(128, "Size of the embeddings.", low=1)
    hidden_size: int = option(128, "Size of the encoder's state, in each direction.", low=1, main=True)
    layers: int = option(1, "Layers of the encoder.", low=1, high=8)
    cell: str = option("lstm", "Cell of the recurrent layers.", choices=CELLS)
    direction: str = option("both", "Direction in which the encoder reads.", choices=("both", "forward"))
    residual: bool = option(False, "Add what a recurrent layer reads to its outputs, where their sizes are equal.")
    layer_norm: bool = option(False, "Normalise the outputs of each recurrent layer.")
    self_attention: int = option(
        0, "Heads of a self-attention over the encoder's outputs, causal if it reads forward; 0 for none.", low=0
    )
    dropout: float = option(0.5, "Dropout of the inputs, between layers and of the outputs.", low=0.0, high=0.95)
    label_smoothing: float = option(0.1, "Label smoothing.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Initial recurrent weights.", choices=("orthogonal", "xavier"))
