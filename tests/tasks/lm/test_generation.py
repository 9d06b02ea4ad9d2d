"""Generated text: the same seed gives the same text, and only what the filters leave is drawn."""

import pytest
import torch

from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks.lm import fitting, generation, network
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Config, Generation

LINES = ["the cat sees the dog", "die Kuh 桃 sieht", "a bird"]
CPU = torch.device("cpu")


def made(level):
    found = [Example(line, line, line, "x", 1) for line in LINES]
    _, codec = fitting.fit(examples.Examples(lambda: iter(found), len(found)), Config(level=level), {})
    torch.manual_seed(0)
    config = Config(embedding_size=7, hidden_size=5)
    return network.LanguageModel(config, len(codec.tokens)).eval(), codec


def texts(level, **options):
    one, codec = made(level)
    return ["".join(text) for text in generation.texts([one], codec, Generation(**options), CPU)]


@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_the_same_seed_gives_the_same_text_and_another_one_another(level):
    first, again, other = (texts(level, max_tokens=40, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_a_text_does_not_depend_on_how_many_there_are():
    assert texts("char", number=3, max_tokens=20)[:2] == texts("char", number=2, max_tokens=20)


@pytest.mark.parametrize("prompt", ["", "the ", "the cat\nsees", "unseen 🐢 words"])
@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_it_begins_with_the_prompt(level, prompt):
    (text,) = texts(level, prompt=prompt, max_tokens=20)
    assert text.startswith(prompt) and len(text) > len(prompt)


def test_so_many_tokens_are_drawn_and_no_special_one():
    (text,) = texts("char", max_tokens=300)
    assert len(text) == 300
    assert set(text) <= set("".join(LINES)) | {"\n"}


def test_one_line_ends_with_its_line():
    every = texts("char", number=5, max_tokens=300, one_line=True)
    assert not any("\n" in text for text in every)


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 0.001}, {"min_p": 1.0}], ids=str)
def test_filters_leave_the_most_probable_token_in_the_end(options):
    greedy = {text for seed in range(3) for text in texts("char", max_tokens=20, seed=seed, **options)}
    assert len(greedy) == 1


def test_parts_come_one_by_one():
    one, codec = made("char")
    (text,) = generation.texts([one], codec, Generation(max_tokens=5), CPU)
    assert len(list(text)) == 1 + 5  # the prompt, and each character


@pytest.mark.parametrize("level", ["char", "word"])
def test_what_a_token_costs_does_not_grow_with_the_text(monkeypatch, level):
    read, text = [], Codec.text
    monkeypatch.setattr(Codec, "text", lambda codec, ids: read.append(len(ids)) or text(codec, ids))
    texts(level, max_tokens=100)
    assert max(read) < 50
