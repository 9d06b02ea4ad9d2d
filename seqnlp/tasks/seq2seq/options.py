"""Options from text to text: the sizes of encoder and decoder, how outputs are searched for and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqnlp.options import option, redeclared
from seqnlp.tasks.network_options import NetworkOptions


@dataclass(frozen=True)
class Network(NetworkOptions):
    """What makes an encoder and its decoder."""

    normalize: str = redeclared(NetworkOptions, "normalize", "nfc")
    embedding_size: int = redeclared(NetworkOptions, "embedding_size", 256)
    hidden_size: int = redeclared(NetworkOptions, "hidden_size", 256)
    decoder_hidden_size: int = option(512, "Size of the decoder's state.", low=1)
    decoder_layers: int = option(2, "Layers of the decoder: one below the attention, the others above.", low=2, high=8)
    attention: str = option("additive", "How the decoder looks at the source.", choices=("additive", "general", "dot"))
    dropout: float = option(
        0.3, "Dropout of the inputs, between layers and of the outputs.", low=0.0, high=0.95, main=True
    )


@dataclass(frozen=True)
class Search:
    """What shapes a result; may_leave_out: whether an output may pass over a part of its source."""

    may_leave_out: ClassVar[bool] = False

    beam_size: int = option(5, "Hypotheses kept at each step; 1 is greedy search.", group="Search", low=1, high=100)
    nbest: int = option(
        1,
        "The N best texts per input, best first; in text as id ||| text ||| score.",
        group="Output",
        low=1,
        high=100,
    )
    attention_weights: bool = option(False, "Put where the decoder looked into jsonl.", group="Output")
    length_penalty: float = option(
        1.0, "Alpha of the length penalty (Wu et al. 2016); 0 for none.", group="Search", low=-10.0, high=10.0
    )
    coverage_penalty: float = option(0.0, "Beta of the coverage penalty; 0 for none.", group="Search", low=0.0)
    prune_threshold: float = option(
        1.0,
        "Drop hypotheses whose log-probability is this far below the best one's, or the last of --nbest; 0 for none.",
        group="Search",
        low=0.0,
    )
    no_repeat_ngram_size: int = option(
        0, "No n-gram of this many subwords occurs twice; 0 for no such rule.", group="Search", low=0
    )
    prefix: str = option("", "Text that every output begins with.", group="Search")
    sample: bool = option(False, "Draw outputs at random instead of searching for the best.", group="Search")
    temperature: float = option(
        1.0, "Temperature of sampling: below 1 favours what is probable.", group="Search", low=0.01
    )
    top_k: int = option(0, "Sample from the K most probable subwords; 0 for all.", group="Search", low=0)
    top_p: float = option(
        1.0, "Sample from the fewest subwords that have this probability together.", group="Search", low=0.001, high=1.0
    )
    seed: int = option(1, "Seed of sampling.", group="Search", low=0)
    score_reference: str | None = option(
        None, "Score these outputs, one a line, instead of searching.", group="Input", metavar="FILE"
    )
    plot_attention: str | None = option(
        None, "Write a picture of each sentence's attention to this folder.", group="Output", metavar="FOLDER"
    )
