"""check: what the installed command finds in corpora of every task, and how it ends."""

import pytest

ADVERBS = "very rather quite truly really hardly barely almost nearly simply".split()
NOUNS = "film meal book room song game walk show team trip".split()
GERMAN = dict(zip(NOUNS, "Film Essen Buch Zimmer Lied Spiel Gang Schau Gruppe Reise".split(), strict=True))


def texts():
    """A hundred texts, no two the same."""
    return [f"the {noun} was {adverb} fine" for noun in NOUNS for adverb in ADVERBS]


def labelled(labels="good bad"):
    names = labels.split()
    return [(text, names[number % len(names)]) for number, text in enumerate(texts())]


def pairs():
    """A hundred pairs whose sides have lengths that go along with each other, and no word in common."""
    return [
        (f"i saw the {noun} " + "and then again " * n, f"ich sah {GERMAN[noun]} " + "und dann wieder " * n + "gestern")
        for n in range(10)
        for noun in NOUNS
    ]


def tsv(rows):
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.fixture
def check(seqnlp, tmp_path):
    """Write parts as files, run check on them, and return its report."""

    def run(rows, *more, dev=None, name="train.tsv", code=0):
        place = tmp_path / name
        place.write_text(rows if isinstance(rows, str) else tsv(rows))
        arguments = [place, *more]
        if dev is not None:
            (tmp_path / f"dev-{name}").write_text(dev if isinstance(dev, str) else tsv(dev))
            arguments += ["--dev", tmp_path / f"dev-{name}"]
        return seqnlp("check", *arguments, code=code).json

    return run


def found(report, check, level=None):
    """The findings of a kind."""
    return [one for one in report["findings"] if one["check"] == check and level in (None, one["level"])]


def lines(finding):
    """The lines of the places of a finding."""
    return [[int(part.rsplit(":", 1)[1].split()[0]) for part in place.split(" = ")] for place in finding["examples"]]


def test_a_clean_corpus_has_no_findings(check):
    report = check(labelled())
    assert report["findings"] == [] and report["counts"] == {"error": 0, "warning": 0, "note": 0}
    assert report["task"] == "classify" and report["rows"] == {"train": 100}
    assert report["labels"]["good"] == {"train": 50, "dev": 0, "weight": 1.0}
    assert report["lengths"]["train text"] == {"mean": 5.0, "median": 5, "p95": 5, "p99": 5, "longest": 5}
    ((name, what),) = report["recognised"].items()
    assert name.endswith("train.tsv") and what == "tsv, no header; text = 1, label = 2"


def test_duplicates_are_told_from_contradictions(check):
    rows = labelled()
    report = check([*rows, rows[0], (rows[1][0], "good")])
    (copy,), (other,) = found(report, "duplicates", "note"), found(report, "duplicates", "warning")
    assert lines(copy) == [[101, 1]] and lines(other) == [[102, 2]]
    assert report["distinct"] == {"train": 100}


def test_overlap_is_an_error_from_a_tenth_of_dev_on(check):
    rows = labelled()
    new = [(f"a new {text}", label) for text, label in rows]
    (some,) = found(check(rows, dev=[rows[3], *new]), "overlap")
    assert some["level"] == "warning" and some["count"] == 1 and lines(some) == [[1, 4]]
    (many,) = found(check(rows, dev=[*rows[:20], *new], code=5), "overlap")
    assert many["level"] == "error" and many["count"] == 20


@pytest.mark.parametrize("typo", ["Good", "go od", "goood", "gOOD "])
def test_labels_that_look_like_another_are_told_with_their_lines(check, typo):
    (one,) = found(check([*labelled(), ("the last one was fine", typo), ("so was this", typo)]), "labels")[:1]
    assert one["level"] == "warning" and lines(one) == [[101], [102]] and repr("good") in one["message"]


@pytest.mark.parametrize("other", ["step1 step2", "NN NNS", "B-PER I-PER"])
def test_names_that_differ_on_purpose_are_no_typos(check, other):
    often, rare = other.split()
    rows = [(text, often) for text in texts()] + [("once more", rare), ("and again", rare)]
    assert not [one for one in found(check(rows), "labels") if "typo" in one["message"] or "case" in one["message"]]


def test_labels_of_dev_alone(check):
    dev = [(f"a new {text}", label) for text, label in labelled()]
    (one,) = found(check(labelled(), dev=[*dev, ("who knows", "ugly")]), "labels only in dev")
    assert one["level"] == "warning" and lines(one) == [[101]]
    (one,) = found(check(labelled(), dev=[("who knows", "ugly"), *dev[:5]], code=5), "labels only in dev")
    assert one["level"] == "error"


def test_uneven_classes_name_the_option_and_the_weights(check):
    report = check([*((text, "good") for text in texts()), ("oh no", "bad"), ("not at all", "bad")])
    (one,) = found(report, "labels")
    assert one["level"] == "warning" and "--class-weights balanced" in one["hint"]
    assert report["labels"]["bad"]["weight"] == pytest.approx(102 / (2 * 2))


@pytest.mark.parametrize("rows", [[(text, "good") for text in texts()], [(text, text[::-1]) for text in texts()]])
def test_labels_that_cannot_be_learnt_are_an_error(check, rows):
    (one,) = found(check(rows, "--task", "classify", code=5), "labels")
    assert one["level"] == "error"


def test_lengths_propose_a_cut(check):
    report = check([*labelled(), *((f"{text} " + "more " * 600, label) for text, label in labelled()[:5])])
    (one,) = found(report, "lengths")
    assert one["count"] == 5 and one["level"] == "warning" and "--max-length 608" in one["hint"]
    assert report["lengths"]["cut"] == {"option": "--max-length", "default": 512, "proposed": 608}


def test_unknown_words_of_dev(check):
    report = check(labelled(), dev=[("der Film war gut", "good"), ("the film was fine", "bad")])
    assert report["unknown_words"]["text"] == {"share": 3 / 8, "most_frequent": ["der", "war", "gut"]}
    assert found(report, "unknown words", "warning")


def conll(sentences):
    """Sentences of (token, tag), in columns."""
    return "".join("".join(f"{token} {tag}\n" for token, tag in sentence) + "\n" for sentence in sentences)


def test_tags_that_break_the_scheme_have_their_lines(check):
    good = [[("Anna", "B-PER"), ("Berg", "I-PER"), (f"left{n}", "O")] for n in range(20)]
    bad = [("in", "O"), ("Oslo", "I-LOC"), ("now", "O")]
    report = check(conll([*good, bad]), name="train.conll")
    (one,) = found(report, "scheme")
    assert report["task"] == "tag" and report["scheme"] == "IOB2"
    assert lines(one) == [[20 * 4 + 2]] and "I-LOC behind O" in one["examples"][0]


def test_a_tag_without_a_scheme_is_shown(check):
    report = check(
        conll([[("Anna", "B-PER"), ("left", "O"), (f"x{n}", "O")] for n in range(9)] + [[("y", "B_PER")]]),
        name="x.conll",
    )
    (one,) = found(report, "scheme")
    assert report["scheme"] == "none" and lines(one) == [[37]]


def test_pairs_that_are_right(check):
    report = check(pairs())
    assert report["task"] == "translate" and not report["findings"]
    assert report["scripts"] == {"source": "Latin", "target": "Latin"}


def test_pairs_that_are_not_have_their_lines(check):
    rows = pairs()
    rows[10] = rows[10][::-1]
    rows[20] = (rows[20][0], rows[20][0])
    rows[30] = (rows[30][0], "и так далее")
    rows[40] = (rows[40][0], "und " * 90)
    report = check(rows)
    assert [lines(one) for one in found(report, "sides")] == [[[11]], [[21], [31]]]
    assert [lines(one) for one in found(report, "copies")] == [[[21]]]
    assert [lines(one) for one in found(report, "lengths of pairs")] == [[[31], [41]]]


def test_two_scripts_tell_that_sides_are_swapped(check):
    rows = [(f"{text} {n}", f"это {n} фильм {'очень ' * (n % 7)}") for n, text in enumerate(texts())]
    rows[5] = rows[5][::-1]
    report = check(rows)
    assert report["scripts"] == {"source": "Latin", "target": "Cyrillic"}
    (one,) = found(report, "sides")
    assert "swapped" in one["message"] and lines(one) == [[6]]


def test_files_that_are_shifted_are_misaligned(seqnlp, tmp_path):
    sizes = [(7 * n * n + 3 * n) % 29 for n in range(400)]
    (tmp_path / "a").write_text("".join("one " * (1 + size) + "\n" for size in sizes))
    for name, moved in (("b", sizes), ("c", [*sizes[3:], *sizes[:3]])):
        (tmp_path / name).write_text("".join("eins " * (1 + size) + f"{n}\n" for n, size in enumerate(moved)))
    right = seqnlp("check", tmp_path / "a", tmp_path / "b", "--task", "translate").json
    wrong = seqnlp("check", tmp_path / "a", tmp_path / "c", "--task", "translate", code=5).json
    assert not found(right, "misaligned")
    (one,) = found(wrong, "misaligned")
    assert one["level"] == "error" and one["count"] == 400


def test_what_it_is_for_is_asked_where_it_cannot_be_told(seqnlp, tmp_path):
    (tmp_path / "x.tsv").write_text("so good\tpos\nso bad\tneg\nso so\tneg\n")
    asked = seqnlp("check", tmp_path / "x.tsv", code=2)
    assert asked.out == "" and "--task" in asked.err
    assert seqnlp("check", tmp_path / "x.tsv", "--text-field", "1", code=0).json["task"] == "classify"


def test_stdin_is_read_like_a_file(seqnlp, check):
    piped = seqnlp("check", "-", stdin=tsv(labelled())).json
    assert piped["rows"] == {"train": 100} and list(piped["data"]) == ["stdin"]


def test_bad_data_ends_as_elsewhere(seqnlp, tmp_path):
    (tmp_path / "x.tsv").write_text("a good one\tpos\nno label\n")
    assert ":2:" in seqnlp("check", tmp_path / "x.tsv", "--task", "classify", code=3).err
    (tmp_path / "empty.tsv").write_text("")
    seqnlp("check", tmp_path / "empty.tsv", "--task", "classify", code=3)
    seqnlp("check", tmp_path / "nowhere.tsv", code=2)


def test_a_terminal_shows_a_table(seqnlp, tmp_path):
    rows = labelled()
    (tmp_path / "x.tsv").write_text(tsv([*rows, (rows[1][0], "good")]))
    code, shown = seqnlp.on_terminal("check", tmp_path / "x.tsv")
    shown = shown.replace("\r\n  ", "").replace("\r\n", "")  # a long name is broken
    assert code == 0
    for part in ("classify", "train 101", "good", "weight", "warning", "x.tsv:101"):
        assert part in shown
