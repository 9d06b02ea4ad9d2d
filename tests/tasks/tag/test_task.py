"""tag: tokens and tags as they stand in corpora, what is fitted, rows and batches, results in every format."""

import itertools
import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.metrics import spans as spans_metric
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, conll, formats, readers, schema, spool
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import labels, tag_schemes, tokenizer
from seqnlp.tasks import registry
from seqnlp.tasks.tag import network as tagger
from seqnlp.tasks.tag import output

tag = registry.get("tag")

SMALL = dict(
    embedding_size=3,
    char_ngram_embedding_size=3,
    affix_embedding_size=2,
    hidden_size=5,
    layers=1,
    char_ngram_buckets=11,
    dropout=0.0,
)
SPANS = [
    ("Ada Byron came to New York", "B-PER I-PER O O B-LOC I-LOC"),
    ("Ada came to Oslo", "B-PER O O B-LOC"),
    ("she came from New South Wales", "O O O B-LOC I-LOC I-LOC"),
]
PLAIN = [("Ada came", "PROPN VERB"), ("she came here", "PRON VERB ADV")]


def sentence(text, tags=None, **rest):
    source, target = tuple(text.split()), tuple(tags.split()) if tags else None
    return Example(source, target, rest.get("record", text), "x.conll", rest.get("line", 1))


def corpus(pairs=SPANS):
    made = [sentence(*pair, line=number) for number, pair in enumerate(pairs, 1)]
    return Examples(lambda: iter(made), len(made))


def fitted(pairs=SPANS, given=(), **options):
    return tag.fit(corpus(pairs), tag.Config(**{**SMALL, **options}), dict(given))


def built(pairs=SPANS, seed=0, **options):
    """A network with random weights, and its codec."""
    config, codec = fitted(pairs, **options)
    torch.manual_seed(seed)
    network = tag.build(tag.resolve(config, codec), codec).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return network, codec


def columns_of(codec, pairs):
    rows = [codec.encode(example) for example in corpus(pairs)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def predicted(networks, codec, pairs, **search):
    rows = columns_of(codec, pairs)
    width = max(map(len, rows["ids"]))
    batch = tag.collate(rows, (width,), codec)
    with torch.inference_mode():
        return tag.predict(networks, codec, batch, rows, tag.Search(**search))


@pytest.fixture
def read(tmp_path):
    """Read a corpus: `read({name: content})` returns the tokens and tags of each sentence."""

    def run(files, **options):
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        paths = {str(tmp_path / name): name for name in files}
        source = schema.Source(tuple(paths), names=paths)
        return [(" ".join(e.source), " ".join(e.target), e.line) for e in tag.read(source, tag.Config(**options))]

    return run


# reading

TWO = [("Ada came", "B-PER O"), ("Oslo", "B-LOC")]


@pytest.mark.parametrize(
    "files",
    [
        {"x.conll": "Ada B-PER\ncame O\n\nOslo B-LOC\n"},
        {"x.jsonl": '{"tokens": ["Ada", "came"], "tags": ["B-PER", "O"]}\n{"tags": ["B-LOC"], "tokens": ["Oslo"]}\n'},
        {"x.jsonl": '{"tokens": "Ada came", "tags": "B-PER O"}\n\n{"tags": "B-LOC", "tokens": " Oslo\\t"}\n'},
        {
            "x.jsonl": '{"tokens": [], "tags": []}\n{"tokens": "Ada came", "tags": ["B-PER", "O"]}\n'
            '{"tokens": "Oslo", "tags": "B-LOC"}\n'
        },
        {"words.txt": "Ada came\n\nOslo\n", "tags.txt": "B-PER  O \n\nB-LOC\n"},
        {"x.tsv": "tokens\ttags\nAda came\tB-PER O\n\nOslo\tB-LOC\n"},
    ],
    ids=["conll", "jsonl", "jsonl of texts", "jsonl without tokens", "two files", "tsv"],
)
def test_every_format_gives_tokens_and_tags(read, files):
    found = [(source, target) for source, target, _ in read(files)]
    assert found == TWO


def test_the_columns_are_those_of_the_config(read):
    assert read({"x.conll": "1 Ada NNP B\n"}, token_column=2, tag_column=3) == [("Ada", "NNP", 1)]
    row = "1\tAda\t_\tPROPN\tNNP\t_\t_\t_\t_\t_\n"
    assert read({"x.conllu": f"# c\n{row}"}, column="xpos") == [("Ada", "NNP", 2)]


def test_the_columns_to_predict_from_are_those_of_the_config(tmp_path):
    (tmp_path / "x.conll").write_text("1 Ada\n2 came\n\n1 Oslo\n")
    source = schema.Source((str(tmp_path / "x.conll"),))
    found = tag.read_inputs(source, tag.Config(token_column=2, tag_column=3), tag.Search())
    assert [example.source for example in found] == [("Ada", "came"), ("Oslo",)]


def test_what_else_stands_in_a_table_to_predict_from_is_passed_over(tmp_path):
    (tmp_path / "x.tsv").write_text("Ada came\tB-PER O\n\nOslo\n")
    found = tag.read_inputs(schema.Source((str(tmp_path / "x.tsv"),)), tag.Config(), tag.Search())
    assert [example.source for example in found] == [("Ada", "came"), (), ("Oslo",)]


FAULTS = {
    "too few tags": ({"x.jsonl": '{"tokens": ["a", "b"], "tags": ["O"]}\n'}, "x.jsonl:1: 2 tokens, 1 tag; hint: every"),
    "too many tags": ({"w": "a\nb c\n", "t": "O\nO O O\n"}, "w:2: 2 tokens, 3 tags; hint: every token needs a tag"),
    "no tags": ({"w": "a\nb\n", "t": "O\n\n"}, "w:2: 1 token, 0 tags"),
    "a number": (
        {"x.jsonl": '{"tokens": ["a"], "tags": [3]}\n'},
        "x.jsonl:1: the tags are not a list of strings; hint: ",
    ),
    "an object": (
        {"x.jsonl": '{"tokens": {"a": 1}, "tags": "O"}\n'},
        "x.jsonl:1: the tokens are not a list of strings",
    ),
    "a blank": ({"x.jsonl": '{"tokens": ["a"], "tags": ["B X"]}\n'}, "x.jsonl:1: not a tag: 'B X'; hint: tags are not"),
    "a line end": ({"x.jsonl": '{"tokens": ["a"], "tags": ["B\\nX"]}\n'}, "x.jsonl:1: not a tag: 'B\\nX'"),
    "an empty tag": ({"x.jsonl": '{"tokens": ["a"], "tags": [""]}\n'}, "x.jsonl:1: not a tag: ''"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_sentence_is_reported(read, name):
    files, message = FAULTS[name]
    with pytest.raises(errors.DataError) as error:
        read(files)
    assert str(error.value).startswith(message)


def example(tokens, **search):
    return tag.example(formats.Record({"tokens": tokens}, tokens, "x", 1), tag.Search(**search))


def test_a_line_of_text_is_split_at_spaces_and_tabs_alone():
    assert example(" It's\u00a0a \t(good)\u2028day. ").source == ("It's\u00a0a", "(good)\u2028day.")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's (good).", "It 's ( good ) ."),
        ("DON'T, can’t won't isn't", "DO N'T , ca n’t wo n't is n't"),
        ("I'm they'd we've you're she'll 'd", "I 'm they 'd we 've you 're she 'll 'd"),
        ("John's dogs' \"1990's\"", "John 's dogs ' \" 1990 's \""),
        ("L'homme qu’il dell'arte geht's", "L' homme qu’ il dell' arte geht 's"),
        ("O'Brien's clock", "O'Brien 's clock"),
        ("$3.50 at 10:30, 1,234.5 x 2. 1/2", "$ 3.50 at 10:30 , 1,234.5 x 2 . 1/2"),
        ("well... a--b!? e-mail a_b", "well ... a -- b ! ? e - mail a_b"),
        ("ant tent n't't", "ant tent n't ' t"),
        ("東京へ", "東 京 へ"),
        ("a\u00a0b\u2028c", "a b c"),
    ],
)
def test_a_line_of_text_may_be_split_as_treebanks_do(text, tokens):
    assert example(text, tokenize=True).source == tuple(tokens.split(" "))


def test_tokens_stay_as_they_are():
    assert example(["New York", ""], tokenize=True).source == ("New York", "")


@pytest.mark.parametrize("text", ["", "  ", "\t", []])
@pytest.mark.parametrize("tokenize", [False, True])
def test_nothing_to_tag_is_blank(text, tokenize):
    assert example(text, tokenize=tokenize).blank


# fitting


@pytest.mark.parametrize(
    ("tags", "scheme", "names"),
    [
        ("B-X I-X O", "IOB2", ["B-X", "E-X", "O"]),
        ("I-X I-X O", "IOB1", ["B-X", "E-X", "O"]),
        ("B-X E-X S-X O", "BIOES", ["B-X", "E-X", "O", "S-X"]),
        ("B-X I-X L-X O", "BILOU", ["B-X", "E-X", "I-X", "O"]),
        ("DET NOUN", "none", ["DET", "NOUN"]),
        ("B-X I-X", "IOB2", ["B-X", "E-X", "O"]),
        ("B-X B-Y", "IOB2", ["O", "S-X", "S-Y"]),
    ],
)
def test_tags_of_spans_are_bioes_and_outside_inside(tags, scheme, names):
    _, codec = fitted([("a " * len(tags.split()), tags)])
    assert (codec.scheme, codec.classes.names) == (scheme, names)


@pytest.mark.parametrize(("tags", "name"), [("O O", "O"), ("B-X", "B-X"), ("NOUN NOUN", "NOUN")])
def test_one_tag_only_is_reported(tags, name):
    with pytest.raises(errors.DataError, match=rf"part has only one tag \({name}\); hint: there is nothing to learn"):
        fitted([("a " * len(tags.split()), tags)])


@pytest.mark.parametrize("strange", ["PER-B PER-I", "B_PER I_PER", "b-per i-per", "B-PER PER"])
def test_tags_that_fit_no_scheme_are_said_with_their_place(strange, caplog):
    _, codec = fitted([("x y z", "O O O"), ("a b", strange)])
    assert codec.scheme == "none"
    assert len(caplog.records) == 1
    assert re.match(r"x\.conll:\d+: the tag \S+ fits no scheme", caplog.records[0].message)


def test_a_token_a_row_is_said(caplog):
    fitted([("a", "X"), ("b", "Y")] * 5 + [("a b", "X Y")])
    assert [record.getMessage() for record in caplog.records] == [
        "10 of 11 sentences have one token only: does each row hold a token?"
    ]


def test_a_tag_is_placed_on_its_own_line_though_comments_and_ranges_stand_between(tmp_path, caplog):
    row = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
    words = [row.format(1, "del", "B-X"), row.format("2-3", "dal", "_"), row.format(2, "da", "I-X")]
    (tmp_path / "x.conllu").write_text("\n# text = x\n" + "".join([*words, row.format(3, "il", "X-B"), "\n"]))
    (tmp_path / "y.conllu").write_text("".join([*words, row.format(3, "il", " "), "\n"]))
    source = schema.Source((str(tmp_path / "x.conllu"),))
    corpus = spool.spooled(tag.read(source, tag.Config(**SMALL)))
    tag.fit(corpus, tag.Config(**SMALL), {})
    assert f"{tmp_path}/x.conllu:6: the tag X-B fits no scheme" in caplog.text
    with pytest.raises(errors.DataError, match=r"y\.conllu:4: not a tag: ' '"):
        list(tag.read(schema.Source((str(tmp_path / "y.conllu"),)), tag.Config(**SMALL)))


@pytest.mark.parametrize("pairs", [SPANS, PLAIN])
def test_nothing_is_said_of_tags_that_fit(pairs, caplog):
    fitted(pairs)
    assert not caplog.records


def test_no_tags_are_reported():
    with pytest.raises(errors.DataError, match="the training part is empty: no tagged sentences"):
        fitted([])


def test_n_grams_of_no_length_are_reported():
    with pytest.raises(errors.UsageError, match="--min-char-ngram is greater than --max-char-ngram"):
        fitted(min_char_ngram=4, max_char_ngram=3)
    fitted(min_char_ngram=4, max_char_ngram=3, char_ngram_buckets=0)


def test_words_seen_once_are_rare():
    _, codec = fitted([("a b a c <s>", "X Y X Y X"), ("a b d", "X Y X")])
    names = codec.words.names
    assert set(names[4 : codec.rare]) == {"a", "b"}
    assert set(names[codec.rare :]) == {"c", "d"}


def test_where_no_word_is_seen_twice_all_are_rare():
    assert fitted([("a b", "X Y")])[1].rare == tokenizer.END + 1


def test_words_are_looked_up_normalised_and_the_special_tokens_never():
    _, codec = fitted([("The THE <s>", "X Y X")])
    the = codec.words.vocabulary["the"]
    assert codec.encode(sentence("the Ｔｈｅ <s> <pad> other"))["ids"] == [the, the, 1, 1, 1]


def test_a_given_tokenizer_is_the_vocabulary():
    words = tokenizer.vocabulary({"york": 4, "ada": 5, "x": 6}, level="word", normalization="lower")
    _, codec = fitted(given={"tokenizers": [words]})
    assert codec.words is words
    assert codec.rare == 6  # Ada came twice
    with pytest.raises(errors.UsageError, match="2 tokenizers, but tag needs one"):
        fitted(given={"tokenizers": [words, words]})


def test_going_on_keeps_vocabulary_and_tags_and_needs_no_vectors():
    _, codec = fitted()
    bioes = corpus([("he saw Ada", "O O S-PER"), ("Los Angeles", "B-LOC E-LOC")])
    config = tag.Config(vectors="gone.txt")
    assert tag.fit(bioes, config, {"codec": codec}) == (config, codec)


def test_going_on_with_a_tag_that_the_model_does_not_know_is_reported():
    with pytest.raises(errors.DataError, match="the codec does not know the label 'S-NEW'"):
        fitted([("a b", "B-NEW O")], given={"codec": fitted()[1]})


def test_the_head_follows_the_tags_unless_it_is_given():
    for pairs, chosen, head in ((SPANS, "auto", "crf"), (PLAIN, "auto", "softmax"), (PLAIN, "crf", "crf")):
        config, codec = fitted(pairs, head=chosen)
        assert tag.resolve(config, codec).head == head


# vectors


@pytest.fixture
def pretrained(tmp_path):
    """Write a file of vectors; return its name."""

    def write(content):
        (tmp_path / "v.txt").write_text(content)
        return str(tmp_path / "v.txt")

    return write


def test_vectors_are_put_into_the_embedding_of_their_words(pretrained):
    path = pretrained("Oslo 1 0 -1 2\nOSLO 9 9 9 9\nbergen 0 1 1 -3\nada -1 -1 2 0\n")
    config, codec = fitted(vectors=path)
    config = tag.resolve(config, codec)
    assert config.embedding_size == 4
    network = tag.build(config, codec)
    tag.initialise(network, config, codec, arrow.in_memory([], codec.features()))
    rows = [network.words.weight[codec.words.vocabulary[word]] for word in ("oslo", "bergen", "ada")]
    expected = torch.tensor([[1.0, 0, -1, 2], [0, 1, 1, -3], [-1, -1, 2, 0]])
    torch.testing.assert_close(torch.stack(rows) / rows[0][0], expected)


def test_words_of_the_vectors_come_after_those_of_the_corpus(pretrained):
    _, codec = fitted(vectors=pretrained("Bergen 1 2\nada 1 2\nBerlin 1 2\n"))
    assert codec.words.names[-2:] == ["bergen", "berlin"]
    assert len(fitted(vectors=pretrained("bergen 1 2\nada 1 2\n"), vocab_size=6)[1].words) == 6


def test_vectors_of_another_language_are_reported(pretrained):
    with pytest.raises(errors.DataError, match="has no vector for any of the words"):
        fitted(vectors=pretrained("le 1 2\nla 1 2\n"))


# rows and batches


def test_a_row_has_ids_tokens_and_tag_numbers():
    _, codec = fitted()
    row = codec.encode(sentence("Ada saw New York", "B-PER O B-LOC I-LOC"))
    assert row["words"] == ["Ada", "saw", "New", "York"]
    assert row["ids"][1] == tokenizer.UNK
    assert [codec.classes.names[number] for number in row["tags"]] == ["S-PER", "O", "B-LOC", "E-LOC"]
    assert row["lengths"] == [4]


def test_a_tag_that_training_never_saw_is_missing():
    _, codec = fitted()
    assert codec.encode(sentence("a b", "B-NEW O"))["tags"] == [labels.MISSING, codec.classes.number("O")]


def spans(length):
    """Any spans of a sentence, that touch or do not."""
    cuts = st.lists(st.tuples(st.sampled_from(["X", "Y", ""]), st.integers(1, 3)), max_size=length)

    def place(parts):
        found, end = [], 0
        for label, size in parts:
            if label and end + size <= length:
                found.append(tag_schemes.Span(label, end, end + size))
            end += size
        return found

    return cuts.map(place)


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
@given(data=st.data())
def test_tags_come_back_in_the_scheme_that_they_came_in(scheme, data):
    every = " ".join(
        tag_schemes.encode(
            [tag_schemes.Span("X", 0, 1), tag_schemes.Span("X", 1, 4), tag_schemes.Span("Y", 5, 6)], 7, scheme
        )
    )
    more = " ".join(tag_schemes.encode([tag_schemes.Span("Y", 0, 3)], 7, scheme))
    more2 = " ".join(tag_schemes.encode([tag_schemes.Span("Y", 0, 2), tag_schemes.Span("Y", 2, 5)], 7, scheme))
    _, codec = fitted([("a " * 7, every), ("a " * 7, more), ("a " * 7, more2)])
    assert codec.scheme == scheme
    tags = tuple(tag_schemes.encode(data.draw(spans(9)), 9, scheme))
    row = codec.encode(sentence("a " * 9, " ".join(tags)))
    assert codec.outside(row["tags"]) == tags


def test_illegal_tags_of_the_corpus_are_repaired_for_training():
    _, codec = fitted()
    row = codec.encode(sentence("a b c d", "I-LOC I-PER O I-PER"))
    assert codec.outside(row["tags"]) == ("B-LOC", "B-PER", "O", "B-PER")


def test_a_saved_codec_is_the_same(tmp_path):
    config, codec = fitted(column="xpos", min_char_ngram=3)
    assert codec.save(tmp_path) == ["tokenizer.json", "labels.json", "words.json"]
    again = tag.Codec.load(tmp_path, config)
    assert (again.scheme, again.rare, again.column) == (codec.scheme, codec.rare, "xpos")
    given = sentence("Ada saw New York", "B-PER O B-LOC I-LOC")
    assert again.encode(given) == codec.encode(given)
    for name in ("forms", "affixes"):
        assert getattr(again, name).of_word("York").tolist() == getattr(codec, name).of_word("York").tolist()


def test_a_batch_is_padded_to_its_width():
    _, codec = fitted()
    batch = tag.collate(columns_of(codec, SPANS), (9,), codec)
    assert batch.words.shape == batch.tags.shape == batch.forms.shape == (3, 9)
    assert batch.lengths.tolist() == [6, 4, 6]
    assert not batch.words[1, 4:].any()
    assert batch.tags[1, 4:].tolist() == [-1] * 5
    assert codec.outside(batch.tags[0, :6].tolist()) == tuple(SPANS[0][1].split())


def test_each_distinct_word_stands_once_in_a_batch():
    _, codec = fitted(char_encoder="lstm")
    batch = tag.collate(columns_of(codec, [("a b a", "O O O"), ("B b", "O O")]), (3,), codec)
    assert batch.forms.tolist() == [[0, 1, 0], [2, 1, 0]]
    assert batch.sizes.tolist() == [1, 1, 1]
    assert len(batch.char_ngram_offsets) == len(batch.affix_offsets) == 3


def test_characters_that_nobody_reads_are_not_in_a_batch():
    _, codec = fitted(char_encoder="none")
    batch = tag.collate(columns_of(codec, [("a b a", "O O O")]), (3,), codec)
    assert batch.characters.numel() == batch.sizes.numel() == 0


def test_of_a_long_word_the_beginning_is_read():
    _, codec = fitted(char_encoder="lstm")
    rows = columns_of(codec, [("a" * 100_000 + " é", "O O"), ("x", "O")])
    rows["words"][1] = [""]
    batch = tag.collate(rows, (2,), codec)
    assert batch.sizes.tolist() == [tagger.MAX_CHARACTERS, 1, 1]
    assert batch.characters.shape == (3, tagger.MAX_CHARACTERS)
    assert batch.characters[:, 0].tolist() == [ord("a"), ord("é"), 0]


def test_sentences_to_predict_need_no_tags():
    _, codec = fitted()
    assert tag.collate(columns_of(codec, [("a b", None)]), (2,), codec).tags.tolist() == [[-1, -1]]


# predictions

SCHEMES = {
    "IOB1": [("a b c d", "I-X B-X O I-Y"), ("a b c d", "I-Y I-Y I-Y I-X")],
    "IOB2": SPANS,
    "BIOES": [("a b c d", "B-X E-X S-Y O"), ("a b c", "B-Y I-Y E-Y")],
    "BILOU": [("a b c d", "B-X L-X U-Y O"), ("a b c", "B-Y I-Y L-Y")],
}


@pytest.mark.parametrize("head", ["crf", "softmax"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_illegal_sequence_cannot_come_out(scheme, head):
    seen = set()
    for seed in range(6):
        network, codec = built(SCHEMES[scheme], seed, head=head)
        assert codec.scheme == scheme
        pairs = [(" ".join(f"w{seed}{i}" for i in range(n)), None) for n in range(1, 9)]
        for found, n in zip(predicted([network], codec, pairs, nbest=3), range(1, 9), strict=True):
            for tags in (found.tags, *(tags for tags, _ in found.nbest)):
                assert len(tags) == n
                assert list(tags) == tag_schemes.convert(tags, scheme)
                seen.update(tags)
    assert len(seen) > 2


def test_probabilities_are_those_of_the_tags():
    network, codec = built()
    (found,) = predicted([network], codec, [("Ada saw Oslo", None)], nbest=10_000)
    assert found.nbest[0][0] == found.tags
    assert sum(share for _, share in found.nbest) == pytest.approx(1, abs=1e-4)
    for place, tag_, share in zip(range(3), found.tags, found.probabilities, strict=True):
        inner = tag_schemes.convert(found.tags, "BIOES")[place]
        same = [p for tags, p in found.nbest if tag_schemes.convert(tags, "BIOES")[place] == inner]
        assert sum(same) == pytest.approx(share, abs=1e-4), tag_


@pytest.mark.parametrize("pairs", [SPANS, PLAIN])
def test_the_best_sequences_by_trying_all(pairs):
    network, codec = built(pairs)
    (found,) = predicted([network], codec, [("Ada saw", None)], nbest=4)
    every = codec.classes.names
    rows = columns_of(codec, [("Ada saw", None)])
    with torch.inference_mode():
        emissions = network.emissions(tag.collate(rows, (2,), codec))
        legal = [
            numbers
            for numbers in itertools.product(range(len(every)), repeat=2)
            if codec.scheme == "none" or tag_schemes.convert(t := [every[i] for i in numbers], "BIOES") == t
        ]
        given = torch.tensor(legal)
        scores = network.crf.score(emissions.expand(len(given), -1, -1), given, torch.full((len(given),), 2))
    best = sorted(zip(scores.softmax(0).tolist(), map(codec.outside, legal), strict=True), reverse=True)[:4]
    assert [tags for tags, _ in found.nbest] == [tags for _, tags in best]
    assert [share for _, share in found.nbest] == pytest.approx([share for share, _ in best], abs=1e-4)


def test_there_may_be_fewer_sequences_than_asked_for():
    network, codec = built(PLAIN)
    (found,) = predicted([network], codec, [("x", None)], nbest=9)
    assert sorted(tags for tags, _ in found.nbest) == [(name,) for name in codec.classes.names]


def test_the_best_sequences_of_a_long_sentence_are_there_however_improbable():
    network, codec = built(PLAIN)
    for parameter in network.parameters():  # all are equally probable: less than the least number
        parameter.data.zero_()
    (found,) = predicted([network], codec, [("x y z " * 333, None)], nbest=2)
    assert len(found.tags) == 999
    assert [(len(tags), share) for tags, share in found.nbest] == [(999, 0.0)] * 2


def test_without_top_there_are_no_others():
    network, codec = built()
    (found,) = predicted([network], codec, [("Ada saw Oslo", None)])
    assert found.nbest == ()


def test_several_networks_predict_together():
    networks = [built(seed=seed)[0] for seed in range(5)]
    codec = built()[1]
    pairs = [("Ada saw New York and me", None)]
    alone = {predicted([network], codec, pairs)[0].tags for network in networks}
    (together,) = predicted(networks, codec, pairs)
    assert len(alone) > 1
    assert list(together.tags) == tag_schemes.convert(together.tags, "IOB2")
    assert predicted([networks[0]] * 3, codec, pairs)[0].tags == predicted(networks[:1], codec, pairs)[0].tags


# results

FOUND = tag.Prediction(("B-PER", "I-PER", "O", "B-LOC"), (0.9, 0.81234, 0.99, 0.7))
SPANS_FOUND = [
    {"label": "PER", "start": 0, "end": 2, "score": 0.8123},
    {"label": "LOC", "start": 3, "end": 4, "score": 0.7},
]


def test_a_prediction_as_json():
    _, codec = fitted()
    given = example(["Ada", "Byron", "saw", "Oslo"])
    assert tag.output.value(given, FOUND, codec) == {
        "tokens": ["Ada", "Byron", "saw", "Oslo"],
        "tags": list(FOUND.tags),
        "spans": SPANS_FOUND,
    }
    json.dumps(tag.output.value(given, FOUND, codec))


def test_plain_tags_make_no_spans():
    _, codec = fitted(PLAIN)
    found = tag.Prediction(("PROPN", "VERB"), (0.9, 0.8), ((("PROPN", "VERB"), 0.72), (("PRON", "VERB"), 0.000012)))
    assert tag.output.value(example("Ada came"), found, codec) == {
        "tokens": ["Ada", "came"],
        "tags": ["PROPN", "VERB"],
        "nbest": [{"tags": ["PROPN", "VERB"], "score": 0.72}, {"tags": ["PRON", "VERB"], "score": 0.0}],
    }


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Ada Byron saw Oslo", {}),
        ("  Ada\tByron  saw Oslo ", {}),
        ("Ada Byron saw Oslo", {"tokenize": True}),
        ("😀Ada-Byron", {"tokenize": True}),
        ("a a aa a", {}),
    ],
)
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: {"id": 3, "words": text}], ids=["text", "jsonl"])
def test_spans_have_their_place_in_the_text(text, search, wrap):
    _, codec = fitted()
    given = tag.example(formats.Record({"tokens": text}, wrap(text), "x", 1), tag.Search(**search))
    spans = tag.output.value(given, FOUND, codec)["spans"]
    pieces = [text[span["start_char"] : span["end_char"]] for span in spans]
    assert ["".join(piece.split()) for piece in pieces] == ["".join(given.source[:2]), given.source[3]]
    assert [text[: span["start_char"]].count("a") for span in spans] == [
        "".join(given.source[: span["start"]]).count("a") for span in spans
    ]


@given(st.text(max_size=12), st.booleans())
def test_every_token_of_any_text_has_its_place(text, tokenize):
    given = example(text, tokenize=tokenize)
    found = [text[begin:end] for begin, end in output.offsets(given)]
    assert found == list(given.source)


def block(content, kind="conll"):
    """The example of a file with one sentence of columns."""
    file = formats.File("x", iter(content.split("\n")), conll.ROLES, 1, schema.Schema(kind))
    (record,) = readers.READERS[kind](file)
    return tag.example(record, tag.Search())


UD = "# c\n1\tAda\t_\tX\t_\t_\t_\t_\t_\t_\n2-3\tsaw it\t_\t_\t_\t_\t_\t_\t_\t_\n2\tsaw\t_\tX\t_\t_\t_\t_\t_\t_\n"
WRITTEN = [
    ("text", example("Ada  saw"), "Ada/B-PER saw/O"),
    ("text", example("1/2 //"), "1/2/B-PER ///O"),
    ("text", example(["New York", "a\nb\tc"]), "New_York/B-PER a_b_c/O"),
    ("text", block("Ada x\nsaw y\n"), "Ada/B-PER saw/O"),
    ("conll", example("Ada saw"), "Ada\tB-PER\nsaw\tO\n"),
    ("conll", block("# a c d\nAda x\nsaw y\n"), "# a c d\nAda x B-PER\nsaw y O\n"),
    ("conllu", block(UD, "conllu"), UD.replace("Ada\t_\tX", "Ada\t_\tB-PER").replace("saw\t_\tX", "saw\t_\tO")),
    (
        "conllu",
        block("Ada\tx\nsaw\ty\n"),
        "1\tAda\t_\tB-PER\t_\t_\t_\t_\t_\t_\n2\tsaw\t_\tO\t_\t_\t_\t_\t_\t_\n",
    ),
]


@pytest.mark.parametrize(("output", "given", "text"), WRITTEN)
def test_a_prediction_as_text(output, given, text):
    _, codec = fitted()
    found = tag.Prediction(("B-PER", "O"), (0.9, 0.8))
    assert tag.output.write(given, found, output, tag.Search(), codec) == text


@pytest.mark.parametrize("column", ["upos", "xpos", "feats", "deprel"])
def test_conllu_is_filled_in_at_the_column_of_the_model(column):
    _, codec = fitted(PLAIN, column=column)
    found = tag.output.write(example("x"), tag.Prediction(("ADV",), (1.0,)), "conllu", tag.Search(), codec)
    assert found.rstrip("\n").split("\t").index("ADV") == conll.UD.index(column.upper())


TAG = st.text("aB-/%2F5\\", min_size=1)


@given(st.lists(st.tuples(st.text("a/%\\ \u00a0\r"), TAG), min_size=1))
def test_tags_come_back_from_text(pairs):
    tokens, tags = zip(*pairs, strict=True)
    given = Example(tokens, None, None, "x", 1)
    written = tag.output.write(given, tag.Prediction(tags, ()), "text", tag.Search(), fitted()[1])
    assert tag.output.parse(written, tag.Config()) == tags


@pytest.mark.parametrize("output", ["text", "conll", "conllu"])
def test_a_blank_line_gives_a_blank_line(output):
    assert tag.output.write(example(" "), None, output, tag.Search(), fitted()[1]) == ""


def test_lines_without_tokens_are_kept_in_columns():
    assert tag.output.write(block("# a\n\n"), None, "conllu", tag.Search(), fitted()[1]) == ""
    assert tag.output.write(block("# a\n\n", "conllu"), None, "conllu", tag.Search(), fitted()[1]) == "# a\n\n"
    assert tag.output.write(block("# a\n\n"), None, "conll", tag.Search(), fitted()[1]) == "# a\n\n"


# scores


def judged(gold, found, pairs=SPANS):
    """Scores by name, how many tags are unseen, and the scores, of tags against gold ones."""
    _, codec = fitted(pairs)
    part = [sentence("a " * len(tags.split()), tags) for tags in gold]
    predictions = [tag.Prediction(tuple(tags.split()), (1.0,) * len(tags.split())) for tags in found]
    scores, _, unseen = tag.output.score(part, predictions, codec)
    return {score.name: score.value for score in scores}, unseen, scores


def test_spans_are_scored_by_f1():
    values, unseen, scores = judged(["B-PER I-PER O B-LOC"], ["B-PER I-PER O B-PER"])
    assert scores[0].name == "f1"
    assert values["f1"] == pytest.approx(50)
    assert values["accuracy"] == pytest.approx(75)
    assert unseen == 0


def test_words_are_counted_by_whether_they_are_in_the_vocabulary():
    _, codec = fitted()
    word = codec.words.names[-1]
    part, found = [sentence(f"{word} zyxw {word}", "O O B-PER")], [tag.Prediction(("O", "O", "O"), (1.0,) * 3)]
    details = tag.output.score(part, found, codec).details
    assert details["words"] == {"known": {"accuracy": 50, "count": 2}, "unknown": {"accuracy": 100, "count": 1}}
    assert "words" not in tag.output.score(part, found, codec, intervals=False).details


def test_labels_of_a_codec_are_types_of_spans_or_tags():
    for pairs, first in ((SPANS, "PER"), (PLAIN, "PROPN")):
        _, codec = fitted(pairs)
        named = [label for example in corpus(pairs) for label in codec.labels_of(example)]
        assert {label: named.count(label) for label in named} == codec.labels and first in codec.labels


def test_plain_tags_are_scored_by_accuracy():
    values, unseen, scores = judged(["PROPN VERB VERB INTJ"], ["PROPN VERB ADV ADV"], PLAIN)
    assert scores[0].name == "accuracy"
    assert values["accuracy"] == 50
    assert unseen == 1


def test_gold_tags_of_another_scheme_are_read_as_such():
    values, _, scores = judged(["S-PER S-PER O B-LOC E-LOC"], ["B-PER B-PER O B-LOC I-LOC"])
    assert values["f1"] == 100
    assert "conlleval+ESLU" in scores[0].signature


def test_the_letter_of_conlleval_counts_where_it_knows_the_tags():
    _, _, scores = judged(["B-PER O"], ["B-PER O"])
    assert "spans:conlleval|" in scores[0].signature
    bioes = [("a b", "B-X E-X"), ("a b", "S-X O")]
    _, _, scores = judged(["B-X E-X O"], ["B-X E-X O"], bioes)
    assert "spans:conlleval|" in scores[0].signature
    _, _, scores = judged(["B-X E-X O"], ["B-X E-X S-X"], bioes)
    assert "spans:conlleval+ESLU|" in scores[0].signature


@pytest.mark.parametrize(
    ("gold", "found"),
    [
        ("B-X E-X B-X E-X", "B-X E-X O O"),
        ("B-X E-X B-X E-X", "B-X E-X S-X O"),
        ("B-X M-X E-X O", "B-X M-X M-X E-X"),
        ("I-X E-X I-X O", "I-X I-X I-X O"),
        ("B-X I-X O X", "B-X I-X X X"),
        ("PER-B PER-I O O", "PER-B PER-B O O"),
        ("DET NOUN VERB", "DET NOUN NOUN"),
        ("O O", "B-X O"),
    ],
)
@pytest.mark.parametrize("pairs", [PLAIN, SPANS])
def test_eval_counts_as_score_does_whatever_the_model_was_trained_on(gold, found, pairs):
    _, _, scores = judged([gold], [found], pairs)
    expected, _ = spans_metric.measure((), [gold.split()], [found.split()])
    assert [(score.name, score.value, score.signature) for score in scores] == [
        (score.name, score.value, score.signature) for score in expected
    ]


def test_mistakes_come_with_the_most_wrong_tags_first():
    _, codec = fitted()
    part = [
        sentence("a b", "O O", line=1),
        sentence("a b c", "O B-LOC O", line=3),
        sentence("d e", "B-PER I-PER", line=7),
    ]
    found = [("O", "O"), ("O", "O", "O"), ("O", "B-LOC")]
    rows = tag.output.mistakes(part, [tag.Prediction(tags, (1.0,) * len(tags)) for tags in found], codec)
    assert rows == [
        {"where": "x.conll:7", "errors": 2, "gold": "d/B-PER e/I-PER", "predicted": "d/O e/B-LOC", "text": "d e"},
        {"where": "x.conll:3", "errors": 1, "gold": "b/B-LOC", "predicted": "b/O", "text": "a b c"},
    ]


def test_a_whole_corpus_fits_its_batches():
    network, codec = built()
    rows = columns_of(codec, SPANS * 5)
    for numbers, widths in buckets.by_length(np.array(rows["lengths"]), buckets.Limits(12, 4)):
        part = {name: [column[number] for number in numbers] for name, column in rows.items()}
        loss = network(tag.collate(part, widths, codec))
        assert loss.weight == sum(len(rows["ids"][number]) for number in numbers)
        assert loss.sum.isfinite()
