"""vocab and bpe through the installed command: the stages of preprocessing alone and in a pipe."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("seqnlp"))
CORPUS = ROOT / "data" / "corpus.txt"

# Text that is easy to lose: controls, joiners, right to left, combining marks, blanks, what looks like special tokens.
HARD = [
    "",
    " ",
    "  two  blanks  at both ends ",
    "a\ttab, a \x0b vertical one, a \x0c page, \x1c\x1d\x1e separators",
    "\x01\x02\x7f controls \x85 \u2028 \u2029",
    "zero\u200bwidth, soft\u00adhyphen, no\u00a0break, \ufeff inside",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇩🇪 \U000e0067",
    "مرحبا بالعالم \u202eright to left\u202c שָׁלוֹם",
    "é e\u0301 ệ e\u0323\u0302 Z͑ͫ̓ͪ̂a͗l̨g͏o",
    "<s> </s> <unk> <pad> <mask> [CLS] ▁metaspace Ġbyte ##piece",
    "日本語のテキストと中文文本、한국어",
    "ﬁ ﬀ ① ½ Å K (compatibility)",
    "\ud7ff \ue000 \ufffd \U0010ffff",
    "x" * 3000,
    '"quotes" \\ backslash \\n $HOME `tick` %s {}',
]


@pytest.fixture(scope="session")
def run(seqnlp):
    """Run to the end; return what is printed, or what is said where the command has to fail."""

    def to_end(*arguments, code=0, **rest):
        result = seqnlp(*arguments, code=code, **rest)
        return result.out if code == 0 else result.err

    return to_end


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def pieces(request, tmp_path_factory, run):
    path = tmp_path_factory.mktemp(request.param) / "pieces.json"
    run("bpe", "train", CORPUS, "-o", path, "--size", "1000", "--kind", request.param, "--normalize", "none")
    return path


def test_hard_text_comes_back_from_its_pieces(pieces, run):
    text = "".join(f"{line}\n" for line in HARD)
    split = run("bpe", "encode", pieces, stdin=text)
    assert split.count("\n") == len(HARD)
    assert run("bpe", "decode", pieces, stdin=split) == text


def test_pieces_are_learnt_from_the_text(pieces, run):
    lines = CORPUS.read_text(encoding="utf-8").split("\n")[:200]
    split = run("bpe", "encode", pieces, stdin="\n".join(lines))
    assert len(split.split()) < sum(map(len, lines)) / 2
    assert "<unk>" not in split


def test_the_file_is_a_whole_tokenizer_with_the_special_tokens_first(pieces):
    import tokenizers

    loaded = tokenizers.Tokenizer.from_file(str(pieces))
    assert [loaded.id_to_token(i) for i in range(4)] == ["<pad>", "<unk>", "<s>", "</s>"]
    assert loaded.get_vocab_size() == 1000
    assert not set(loaded.encode("<s> <pad>").ids) & {0, 2, 3}


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
def test_training_gives_the_same_file_in_every_process(kind, tmp_path, seqnlp):
    for run, name in ((seqnlp, "a"), (seqnlp.cold, "b")):  # one hashes strings in another way than the other
        run("bpe", "train", CORPUS, "-o", tmp_path / name, "--size", "600", "--kind", kind)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_wordpiece_splits_words_and_marks_their_insides(tmp_path, run):
    path = tmp_path / "w.json"
    run("bpe", "train", CORPUS, "-o", path, "--size", "2000", "--kind", "wordpiece")
    split = run("bpe", "encode", path, stdin="unbelievable\n").split()
    assert len(split) > 1 and all(piece.startswith("##") for piece in split[1:])
    assert run("bpe", "decode", path, stdin=" ".join(split) + "\n") == "unbelievable\n"


def test_dropout_splits_more_and_decodes_to_the_same(tmp_path, run):
    path = tmp_path / "bpe.json"
    run("bpe", "train", CORPUS, "-o", path, "--size", "1000", "--normalize", "none")
    text = "".join(f"{line}\n" for line in CORPUS.read_text(encoding="utf-8").split("\n")[:100])
    plain, dropped = run("bpe", "encode", path, stdin=text), run("bpe", "encode", path, "--dropout", "0.3", stdin=text)
    assert len(dropped.split()) > len(plain.split())
    assert run("bpe", "decode", path, stdin=dropped) == text


def test_dropout_needs_bpe(tmp_path, run):
    path = tmp_path / "unigram.json"
    run("bpe", "train", CORPUS, "-o", path, "--size", "600", "--kind", "unigram")
    assert "needs a BPE tokenizer" in run("bpe", "encode", path, "--dropout", "0.1", stdin="a\n", code=2)


def test_a_filter_answers_before_the_input_ends(pieces, running):
    with running([COMMAND, "bpe", "encode", pieces], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_vocabulary_holds_the_most_frequent_words(tmp_path, run):
    text = "the cat the dog the end cat\n"
    assert run("vocab", "-", "--counts", stdin=text) == "the\t3\ncat\t2\ndog\t1\nend\t1\n"
    run("vocab", "-", "-o", tmp_path / "v.json", "--size", "6", stdin=text)
    vocabulary = json.loads((tmp_path / "v.json").read_text())["model"]["vocab"]
    assert vocabulary == {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "the": 4, "cat": 5}


def test_a_vocabulary_of_characters(tmp_path, run):
    assert run("vocab", "-", "--counts", "--level", "char", "--min-count", "2", stdin="abca b\n") == "a\t2\nb\t2\n"


def test_the_text_of_a_corpus_is_read_by_name(tmp_path, run):
    (tmp_path / "x.jsonl").write_text('{"body": "b b"}\n{"body": "a"}\n')
    assert run("vocab", tmp_path / "x.jsonl", "--text-field", "body", "--counts") == "b\t2\na\t1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("vocab", "-"), 2, "--counts"),
        (("vocab", "none.txt", "--counts"), 2, "none.txt: no such file"),
        (("vocab", "-", "--counts"), 3, "stdin: no text"),
        (("bpe", "train", "-", "-o", "x.json"), 3, "stdin: no text"),
        (("vocab", "-", "-o", "no/where.json"), 2, "no/where.json: cannot be written"),
        (("vocab", "-", "--counts", "--normalize", "upper"), 2, "upper"),
        (("bpe", "train", "-", "-o", "x.json", "--size", "10"), 2, "--size"),
        (("bpe", "encode", "none.json"), 2, "none.json: no such file"),
        (("bpe", "encode", str(ROOT / "README.md")), 3, "not a tokenizer"),
        (("bpe", "encode", "-", "none.txt"), 2, "no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, code, words, run):
    told = run(*arguments, code=code)
    assert words in told and told.count("\n") == 1


@pytest.mark.parametrize("text", ["\n\n", "   \n \n", "\u00a0\n"])
@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece", "vocab"])
def test_blank_lines_are_no_text(kind, text, tmp_path, run):
    command = ["vocab", "-"] if kind == "vocab" else ["bpe", "train", "-", "--kind", kind]
    assert run(*command, "-o", tmp_path / "x.json", stdin=text, code=3).startswith("seqnlp: stdin: no text")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
def test_one_letter_is_a_text(kind, tmp_path, run):
    run("bpe", "train", "-", "--kind", kind, "-o", tmp_path / "x.json", stdin="\na\n")
    assert run("bpe", "decode", tmp_path / "x.json", stdin="a\n") == "a\n"


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_ctrl_c_ends_learning_at_once_and_leaves_nothing(kind, tmp_path, running, interrupt):
    letters = random.Random(1).choices("ACGT", k=9_000)
    words = "\n".join("".join(letters[n:] + letters[:n]) for n in range(200))  # minutes without a look at Python
    (tmp_path / "genome.txt").write_text(words)
    command = [COMMAND, "bpe", "train", "genome.txt", "--kind", kind, "--size", "8000", "-o", "x.json", "-v"]
    with running(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        time.sleep(3)
        begin = time.monotonic()
        assert interrupt(process) == 130
        assert time.monotonic() - begin < 5
        assert process.stderr.read().splitlines()[-1] == b"seqnlp: interrupted"
    assert [path.name for path in tmp_path.iterdir()] == ["genome.txt"]


def test_ctrl_c_ends_learning_that_waits_for_text(tmp_path, running, interrupt):
    command = [COMMAND, "bpe", "train", "-", "-o", tmp_path / "x.json"]
    with running(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2)
        assert interrupt(process) == 130
    assert not list(tmp_path.iterdir())


def test_files_may_be_pipes(pieces, seqnlp):
    """Each is opened once."""

    def shell(line):
        done = seqnlp.shell(f"pieces='{pieces}' text='{CORPUS}'; {line}", warm=True)
        assert done.code == 0, done.err
        return done.out

    counts = shell('seqnlp vocab "$text" --counts')
    assert shell('seqnlp vocab <(cat "$text") --counts') == counts
    assert shell('mkfifo "$pieces.p"; cat "$text" > "$pieces.p" & seqnlp vocab "$pieces.p" --counts') == counts
    split = shell('seqnlp bpe encode "$pieces" "$text"')
    assert shell('seqnlp bpe encode <(cat "$pieces") <(cat "$text")') == split
    decoded = shell('seqnlp bpe decode <(cat "$pieces") <(seqnlp bpe encode "$pieces" "$text")')
    assert decoded == CORPUS.read_text(encoding="utf-8")
    trained = 'seqnlp bpe train {} -o "$pieces.b" --size 400 && cat "$pieces.b"'
    assert shell(trained.format('<(cat "$text")')) == shell(trained.format('"$text"'))
