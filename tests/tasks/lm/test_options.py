"""Options of lm: what is left open is settled by the level."""

import pytest

from seqnlp.tasks.lm import options


@pytest.mark.parametrize(("level", "penalty"), [("word", 1.0), ("bpe", 1.0), ("char", 0.0)])
def test_a_level_has_defaults_and_what_is_said_stays(level, penalty):
    config = options.resolved(options.Config(level=level, change_penalty=0.5, embedding_dropout=0.0))
    assert (config.activation_penalty, config.change_penalty, config.embedding_dropout) == (penalty, 0.5, 0.0)


def test_every_level_settles_all_that_is_open():
    for level in options.LEVELS:
        settled = options.resolved(options.Config(level=level, vocab_size=7))
        assert None not in vars(settled).values()
