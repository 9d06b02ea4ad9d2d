"""Tag schemes: recognised from the data, read as conlleval reads them, converted without loss, and never illegal."""

import collections
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import sequence_labeling

from seqnlp.preprocess.text import tag_schemes

TAGS_FILE = Path(__file__).parents[3] / "data" / "tags" / "train.conll"
NAMES = list(tag_schemes.SCHEMES)
LABELS = ["X", "Y", "X-Y", ""]


def spans(text, rules=tag_schemes.EXTENDED):
    return [tuple(span) for span in tag_schemes.spans(text.split(), rules)]


@st.composite
def sentences(draw):
    """Spans that do not overlap, and the number of words."""
    parts = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=6))
    found, end = [], 0
    for gap, size, label in parts:
        found.append(tag_schemes.Span(label, end + gap, end + gap + size))
        end += gap + size
    return found, end + draw(st.integers(0, 2))


def tags_of(prefixes, labels=("X", "Y", "a-b", "")):
    return st.sampled_from(["O", *(tag_schemes.join(prefix, label) for prefix in prefixes for label in labels)])


@pytest.mark.parametrize(
    ("scheme", "corpus"),
    [
        ("IOB2", ["B-X I-X O", "B-X B-Y"]),
        ("IOB2", ["B-X O B-X"]),
        ("IOB2", ["O B I I O B"]),
        ("IOB2", ["B-creative-work I-creative-work O"]),
        ("IOB2", ["B-X B-X I-X"]),
        ("IOB2", ["O O", "O"]),
        ("IOB1", ["I-X I-X O", "O I-Y I-X"]),
        ("IOB1", ["I-X B-X I-X O"]),
        ("IOB1", ["I B"]),
        ("IOB1", ["I-X O", "I-Y I-Y B-Y"]),
        ("IOB2", ["I-X O", "B-Y I-Y"]),  # mixed: I-X begins a span, and B-Y where IOB1 has I-Y
        ("IOB2", ["I-X B-Y"]),
        ("IOB2", ["I-X O B-X"]),
        ("BIOES", ["B-X I-X E-X S-Y O"]),
        ("BIOES", ["S-X O"]),
        ("BIOES", ["B E S"]),
        ("BIOES", ["B-X E-X"]),
        ("BILOU", ["B-X I-X L-X U-Y O"]),
        ("BILOU", ["O U-X"]),
        ("BILOU", ["B-X L-X O"]),
        ("BMES", ["B-X M-X E-X S-Y O"]),
        ("BMES", ["B-X M-X O"]),
        ("BMES", ["B M M E S"]),
        ("IOE1", ["I-X I-X E-X I-X O"]),
        ("IOE1", ["E I O"]),
        ("IOE1", ["I-X O", "I-Y E-Y I-Y"]),
        ("IOE2", ["I-X E-X O E-Y"]),
        ("IOE2", ["E-X O E-X"]),
        ("IOE2", ["O I I E O E"]),
        ("IOE2", ["I-X E-X", "I-Y O"]),  # mixed: E-X ends a span, and I-Y where IOE2 has E-Y
        ("IOE2", ["E-X E-X O"]),
        ("none", ["B-X M-X I-X E-X"]),
        ("none", ["PER-B PER-I O"]),
        ("none", ["B_PER I_PER O"]),
        ("none", ["b-per i-per O"]),
        ("none", ["M F M"]),
        ("none", ["DET NOUN VERB"]),
        ("none", ["I NOUN O", "B"]),
        ("none", ["X-Y O", "B-X I-X"]),
        ("none", ["B-X I-X O X"]),
        ("none", ["b-X O"]),
        ("none", ["BB-X O"]),
        ("none", ["O-X B-X"]),
        ("none", ["-X B-X"]),
        ("none", [". B-X"]),
        ("none", ["B-X E-X U-X"]),
        ("none", ["I"]),
        ("none", ["S E S"]),
        ("none", []),
        ("none", [""]),
    ],
)
def test_the_scheme_of_a_corpus(scheme, corpus):
    assert tag_schemes.recognise(tags.split() for tags in corpus) == scheme


def test_tags_of_two_sentences_are_no_neighbours():
    assert tag_schemes.recognise([["I-X"], ["B-X"]]) == "IOB2"
    assert tag_schemes.recognise([["I-X", "B-X"]]) == "IOB1"


def test_the_scheme_of_a_real_corpus():
    blocks = TAGS_FILE.read_text(encoding="utf-8").strip().split("\n\n")
    corpus = [[line.split("\t")[1] for line in block.splitlines()] for block in blocks]
    corpus.append(["B-PER", "B-PER"])  # two that touch: without such, IOE1 looks like IOB1
    for scheme in NAMES:
        assert tag_schemes.recognise(tag_schemes.convert(tags, scheme) for tags in corpus) == scheme


@pytest.mark.parametrize("scheme", NAMES)
@given(sentences())
def test_what_a_scheme_wrote_is_recognised(scheme, sentence):
    """With spans that tell the schemes apart in front."""
    telling = tag_schemes.encode(
        [tag_schemes.Span("X", 0, 1), tag_schemes.Span("X", 1, 4), tag_schemes.Span("Y", 5, 6)], 6, scheme
    )
    assert tag_schemes.recognise([telling, tag_schemes.encode(*sentence, scheme)]) == scheme


@given(st.lists(sentences(), max_size=5))
def test_what_is_recognised_gives_the_tags_back(corpus):
    """Whatever scheme is seen in legal tags, through BIOES and back they come as they were."""
    for scheme in NAMES:
        sentences_of_tags = [tag_schemes.encode(found, length, scheme) for found, length in corpus]
        seen = tag_schemes.recognise(sentences_of_tags)
        for tags in sentences_of_tags:
            assert tag_schemes.convert(tag_schemes.convert(tags, "BIOES" if seen != "none" else "none"), seen) == tags


@given(st.lists(st.lists(tags_of("BIESLUM") | st.sampled_from(["NOUN", "b-X", "X-B"])), max_size=4))
def test_tags_of_a_scheme_make_spans_and_none_of_them_is_a_stranger(corpus):
    counts = collections.Counter(itertools.chain(*corpus))
    if tag_schemes.recognise(corpus) != "none":
        assert tag_schemes.make_spans(counts)
    elif (stranger := tag_schemes.stranger(counts)) is not None:
        assert stranger in counts


@pytest.mark.parametrize(
    ("tag", "tags"),
    [
        ("PER-B", "PER-B PER-I PER-I O O"),
        ("PER-B", "PER-B PER-E PER-E"),
        ("B_PER", "B_PER I_PER I_PER O"),
        ("B:PER", "B:PER I:PER I:PER O"),
        ("b-per", "b-per i-per i-per o"),
        ("PER", "B-PER I-PER O PER"),
        ("U-X", "B-X B-X E-X E-X U-X O"),
        ("b-X", "B-X I-X b-X O"),
        ("PER", "O O O PER PER LOC"),
        (None, "DET NOUN VERB"),
        (None, "-LRB- NNP -RRB- ."),
        (None, "N V O P N"),
        (None, "M F O F F"),
        (None, "O O"),
        (None, ""),
    ],
)
def test_tags_that_look_like_those_of_a_scheme(tag, tags):
    assert tag_schemes.stranger(collections.Counter(tags.split())) == tag


@pytest.mark.parametrize(
    ("answer", "tags"),
    [
        (True, "B-X O O"),
        (True, "O O"),
        (True, ""),
        (True, "I-X I-X PER"),
        (True, ". [-X ]-X"),
        (True, "B I I"),
        (True, "B M E S"),
        (False, "PER-B PER-I O"),
        (False, "B_PER I_PER O"),
        (False, "PER PER O"),
        (False, "b-per i-per O"),
        (False, "DET NOUN I"),
        (False, "S E S"),
    ],
)
def test_tags_make_spans_or_are_plain_classes(answer, tags):
    assert tag_schemes.make_spans(collections.Counter(tags.split())) is answer


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O O", []),
        ("", []),
        ("B-X I-X O B-Y", [("X", 0, 2), ("Y", 3, 4)]),
        ("I-X I-X O I-Y", [("X", 0, 2), ("Y", 3, 4)]),
        ("I-X B-X B-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 3)]),
        ("B-X I-Y I-Y", [("X", 0, 1), ("Y", 1, 3)]),
        ("B I O I B", [("", 0, 2), ("", 3, 4), ("", 4, 5)]),
        ("B I-X", [("", 0, 1), ("X", 1, 2)]),
        ("B-a-b I-a-b I-a", [("a-b", 0, 2), ("a", 2, 3)]),
        ("B-X E-X B-X E-X", [("X", 0, 2), ("X", 2, 4)]),
        ("S-X S-X S-Y", [("X", 0, 1), ("X", 1, 2), ("Y", 2, 3)]),
        ("U-X U-X B-X L-X I-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 4), ("X", 4, 5)]),
        ("O S O U E L", [("", 1, 2), ("", 3, 4), ("", 4, 5), ("", 5, 6)]),
        ("B-X E-X I-X", [("X", 0, 2), ("X", 2, 3)]),
        (". [-X . [-X [-X", [("X", 1, 2), ("X", 3, 4), ("X", 4, 5)]),
        ("]-X ]-Y .", [("X", 0, 1), ("Y", 1, 2)]),
        (". [ [ . ] O", [("", 1, 2), ("", 2, 3), ("", 4, 5)]),
        (".-X [-X .-X", [("X", 1, 2)]),
        ("B-X [-X I-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 3)]),
        ("NOUN B-X VERB I-X", [("X", 1, 2), ("X", 3, 4)]),
        ("Q-X O", [("X", 0, 1)]),
    ],
)
def test_spans_by_hand(tags, found):
    assert spans(tags) == found


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-X E-X B-X E-X", [("X", 0, 4)]),
        ("S-X S-X S-Y", [("X", 0, 2), ("Y", 2, 3)]),
        ("B-X L-X U-X", [("X", 0, 3)]),
        ("I-X E-X I-X E-X E-X", [("X", 0, 2), ("X", 2, 4), ("X", 4, 5)]),
        ("S O U S", []),
    ],
)
def test_spans_by_the_letter_of_conlleval(tags, found):
    assert spans(tags, tag_schemes.CONLLEVAL) == found


@given(st.lists(tags_of("BI")))
def test_both_rules_are_one_for_b_and_i(tags):
    assert tag_schemes.spans(tags, tag_schemes.CONLLEVAL) == tag_schemes.spans(tags)


@given(st.lists(tags_of("IE")))
def test_both_rules_are_one_for_i_and_e(tags):
    assert tag_schemes.spans(tags, tag_schemes.CONLLEVAL) == tag_schemes.spans(tags)


@pytest.mark.parametrize(
    ("tags", "rules"),
    [
        (["O", "B-X", "I-X"], tag_schemes.CONLLEVAL),
        (["I-X", "E-X"], tag_schemes.CONLLEVAL),
        (["M-X", "B-X"], tag_schemes.EXTENDED),
        (["SUB", "LS-X", "UH"], tag_schemes.CONLLEVAL),
        ([], tag_schemes.CONLLEVAL),
        (["O", "S-X"], tag_schemes.EXTENDED),
        (["L"], tag_schemes.EXTENDED),
        (["U-X", "B-X"], tag_schemes.EXTENDED),
    ],
)
def test_the_rules_are_those_that_know_the_prefixes(tags, rules):
    assert tag_schemes.rules_for(tags) is rules


@given(st.lists(tags_of("BIES")))
def test_spans_of_any_tags_as_seqeval(tags):
    expected = [(label, start, last + 1) for label, start, last in sequence_labeling.get_entities(tags)]
    assert [(span.label or "_", span.start, span.end) for span in tag_schemes.spans(tags)] == expected


@given(st.lists(tags_of("BIES")))
def test_l_and_u_are_e_and_s(tags):
    other = [tag.translate({ord("E"): "L", ord("S"): "U"}) for tag in tags]
    assert tag_schemes.spans(other) == tag_schemes.spans(tags)


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-X I-X B-X O I-X I-Y B-Y I-Y O O"),
        ("IOB2", "B-X I-X B-X O B-X B-Y B-Y I-Y O O"),
        ("IOE1", "I-X E-X I-X O I-X E-Y I-Y I-Y O O"),
        ("IOE2", "I-X E-X E-X O E-X E-Y I-Y E-Y O O"),
        ("BIOES", "B-X E-X S-X O S-X S-Y B-Y E-Y O O"),
        ("BMES", "B-X E-X S-X O S-X S-Y B-Y E-Y O O"),
        ("BILOU", "B-X L-X U-X O U-X U-Y B-Y L-Y O O"),
    ],
)
def test_encode_by_hand(scheme, tags):
    found = [("X", 0, 2), ("X", 2, 3), ("X", 4, 5), ("Y", 5, 6), ("Y", 6, 8)]
    assert tag_schemes.encode([tag_schemes.Span(*span) for span in found[::-1]], 10, scheme) == tags.split()
    assert spans(tags) == found


@pytest.mark.parametrize("scheme", NAMES)
@given(sentences())
def test_spans_come_back_from_tags(scheme, sentence):
    found, length = sentence
    tags = tag_schemes.encode(found, length, scheme)
    assert len(tags) == length
    assert tag_schemes.spans(tags) == found


@given(sentences())
def test_to_another_scheme_and_back_is_the_identity(sentence):
    for scheme, other in itertools.permutations(NAMES, 2):
        tags = tag_schemes.encode(*sentence, scheme)
        assert tag_schemes.convert(tag_schemes.convert(tags, other), scheme) == tags, (scheme, other)


@pytest.mark.parametrize("scheme", NAMES)
@given(st.lists(tags_of("BIESLUM")))
def test_converting_keeps_the_spans_of_any_tags(scheme, tags):
    assert tag_schemes.spans(tag_schemes.convert(tags, scheme)) == tag_schemes.spans(tags)


def test_plain_classes_are_not_converted():
    assert tag_schemes.convert(("NOUN", "I", "X-Y"), "none") == ["NOUN", "I", "X-Y"]


def allowed(numbers, follow, begin, end):
    inner = all(follow[a, b] for a, b in itertools.pairwise(numbers))
    return bool(begin[numbers[0]] and end[numbers[-1]] and inner)


FOREIGN = ["NOUN", "B-", "Q-X", "O-X"]


@pytest.mark.parametrize("labels", [("X", "Y"), ("X", "")], ids=["two types", "no type"])
@pytest.mark.parametrize(
    ("scheme", "prefixes"),
    [
        ("IOB1", "BIE"),
        ("IOB2", "BIS"),
        ("IOE1", "BIE"),
        ("IOE2", "SIE"),
        ("BIOES", "BIES"),
        ("BMES", "BMES"),
        ("BILOU", "BILU"),
    ],
)
def test_exactly_the_sentences_that_encode_writes_are_allowed(scheme, prefixes, labels):
    tags = ["O", *(tag_schemes.join(prefix, label) for prefix in prefixes for label in labels)]
    for some, most in ((tags, 4), ([*tags[::2], *FOREIGN], 3)):
        arrays = tag_schemes.transitions(some, scheme)
        for length in range(1, most + 1):
            for numbers in itertools.product(range(len(some)), repeat=length):
                sentence = [some[i] for i in numbers]
                legal = tag_schemes.encode(tag_schemes.spans(sentence), length, scheme) == sentence
                assert allowed(numbers, *arrays) == legal, sentence


@pytest.mark.parametrize("scheme", NAMES)
def test_transitions_have_tag_before_tag_after(scheme):
    follow, begin, end = tag_schemes.transitions(["O", "B-X", "I-X"], scheme)
    assert follow.shape == (3, 3) and begin.shape == end.shape == (3,)
    assert {part.dtype for part in (follow, begin, end)} == {np.dtype(bool)}
    assert follow[1, 2] == (scheme in ("IOB1", "IOB2", "BIOES", "BILOU"))  # I-X after B-X
    assert follow[0, 2] == (scheme in ("IOB1", "IOE1", "IOE2"))  # I-X after O
    assert follow[0, 1] == (scheme in ("IOB2", "BIOES", "BMES", "BILOU"))


def test_plain_classes_follow_each_other_as_they_like():
    follow, begin, end = tag_schemes.transitions(["I", "NOUN", "X-Y"], "none")
    assert follow.shape == (3, 3) and follow.all()
    assert begin.shape == end.shape == (3,) and begin.all() and end.all()
