"""eval, score and info."""

import hashlib
import json
import shutil

import pytest

KEYS = ["task", "model", "scores", "details", "seed", "seconds", "data"]


@pytest.fixture(scope="module")
def hard(seqnlp, model, corpus, as_tsv):
    """A test part with mistakes in it: some labels are wrong, one was never seen; and what eval says of it."""
    rows = list(corpus["dev"])
    rows[3:9] = [(text, "good") for text, _ in rows[3:9]]
    rows[20] = (rows[20][0], "never seen")
    (seqnlp.folder / "hard.tsv").write_text(as_tsv(rows))
    return rows, seqnlp("classify", "eval", model, "hard.tsv", "--errors", "errors.tsv", "--fail-under", "10")


def test_eval_gives_one_result(hard, seqnlp, model):
    rows, result = hard
    assert list(result.json) == KEYS
    assert result.json["scores"][0]["name"] == "accuracy" and result.json["scores"][0]["n"] == len(rows)
    digest = hashlib.sha256((seqnlp.folder / "hard.tsv").read_bytes()).hexdigest()
    assert result.json["data"] == {"hard.tsv": digest}
    assert result.json["seed"] == 1 and result.json["model"] == str(model)


def test_unseen_labels_are_one_warning_with_the_count(hard):
    _, result = hard
    assert len(result.errors) == 1
    assert "warning" in result.err and "1" in result.err and "never saw" in result.err


def test_labels_none_of_which_the_model_knows_are_an_error_in_one_line(seqnlp, model):
    texts = "".join(f"a lovely film\t{'so long a label ' * 9}{n}\n" for n in range(9))
    (seqnlp.folder / "strange.tsv").write_text(texts)
    result = seqnlp("classify", "eval", model, "strange.tsv", code=3)
    assert result.out == "" and len(result.errors) == 1 and len(result.err) < 500
    for word in ("strange.tsv", "none of its labels is the model's", "(4 more)", "'good'", "--label-field"):
        assert word in result.err


def test_eval_is_tables_on_a_terminal(hard, seqnlp, model):
    code, shown = seqnlp.on_terminal("classify", "eval", model, "hard.tsv", "-q")
    assert code == 0 and "{" not in shown
    for word in ("f1 (macro)", "60 texts, 1 labels that training never saw", "most confused: gold", "support"):
        assert word in shown, shown


def test_an_accuracy_that_is_wanted_gives_a_cut_off_for_predict(hard, seqnlp, model):
    command = ["classify", "eval", model, "hard.tsv"]
    details = seqnlp(*command, "--want-accuracy", "50").json["details"]
    proposed = details["selective"]["proposed"]
    cut = ["--min-score", proposed["min_score"]]
    kept = seqnlp(*command, *cut).json["details"]
    assert kept.get("coverage", 100) == pytest.approx(proposed["coverage"], abs=1e-3)
    assert kept["calibration_error"] == details["calibration_error"]
    texts = "".join(f"{text}\n" for text, _ in hard[0])
    answers = seqnlp("classify", "predict", model, *cut, stdin=texts).lines
    assert 100 * sum(map(bool, answers)) / len(answers) == pytest.approx(proposed["coverage"], abs=1e-3)
    _, shown = seqnlp.on_terminal(*command, "-q", "--want-accuracy", "50")
    assert f"--min-score {proposed['min_score']:g} gives an accuracy of 50" in shown, shown
    _, shown = seqnlp.on_terminal(*command, "-q", "--want-accuracy", "100")
    assert "an accuracy of 100" in shown


def test_errors_are_written_worst_first(hard, seqnlp, model):
    rows, result = hard
    lines = (seqnlp.folder / "errors.tsv").read_text().split("\n")[:-1]
    header, *mistakes = [line.split("\t") for line in lines]
    assert {"gold", "predicted", "text"} <= set(header)
    right = result.json["scores"][0]["value"] / 100 * len(rows)
    assert len(mistakes) == len(rows) - round(right)
    shares = [float(row[header.index("gold_score")]) for row in mistakes]
    assert shares == sorted(shares)
    where = {row[header.index("where")] for row in mistakes}
    assert "hard.tsv:21" in where
    seqnlp("classify", "eval", model, "hard.tsv", "--errors", "errors.jsonl", "-q")
    records = [json.loads(line) for line in (seqnlp.folder / "errors.jsonl").read_text().split("\n")[:-1]]
    assert [record["where"] for record in records] == [row[header.index("where")] for row in mistakes]
    assert all(record["gold"] != record["predicted"] for record in records)


def test_a_score_under_the_wanted_one_is_reported_after_the_result(seqnlp, model):
    result = seqnlp("classify", "eval", model, "dev.tsv", "--fail-under", "100.1", code=5)
    assert result.json["scores"][0]["name"] == "accuracy"
    assert len(result.errors) == 1 and "accuracy" in result.err and "100.1" in result.err


def test_score_behind_predict_says_what_eval_says(hard, seqnlp, model):
    _, result = hard
    piped = seqnlp.shell(f"seqnlp classify predict {model} hard.tsv | seqnlp score accuracy hard.tsv", warm=True)
    assert piped.code == 0 and piped.err == ""
    shares = seqnlp("classify", "predict", model, "hard.tsv", "--scores")
    for scored in (piped, seqnlp("score", "accuracy", "hard.tsv", stdin=shares.out)):
        assert scored.json["scores"][0] == result.json["scores"][0]
        assert scored.json["details"]["confusion"] == result.json["details"]["confusion"]


def test_blank_lines_and_blank_texts_count_alike_in_eval_and_score(seqnlp, model):
    (seqnlp.folder / "holes.tsv").write_text("a lovely film\tgood\n\n\tbad\nawful\tbad\n\n")
    result = seqnlp("classify", "eval", model, "holes.tsv")
    predicted = seqnlp("classify", "predict", model, "holes.tsv")
    assert len(predicted.lines) == 5
    scored = seqnlp("score", "accuracy", "holes.tsv", stdin=predicted.out)
    assert scored.json["scores"][0] == result.json["scores"][0]


def test_score_works_on_plain_labels_without_a_model(seqnlp, tmp_path):
    (tmp_path / "gold").write_text("a\nb\nc\na\n")
    result = seqnlp("score", "f1", tmp_path / "gold", "--fail-under", "99", stdin="a\r\nb\r\na\r\na", code=5)
    names = {score["name"]: score["value"] for score in result.json["scores"]}
    assert result.json["scores"][0]["name"] == "f1"
    assert names["accuracy"] == 75
    assert names["f1"] == pytest.approx(100 * (0.8 + 1 + 0) / 3, abs=1e-5)
    accuracy = seqnlp("score", "accuracy", tmp_path / "gold", tmp_path / "gold", "--fail-under", "100")
    assert accuracy.json["scores"][0]["name"] == "accuracy" and accuracy.json["scores"][0]["value"] == 100


@pytest.mark.parametrize("hypothesis", ["a\nb\n", "a\nb\nc\na\na\n", ""])
def test_score_refuses_another_number_of_lines(seqnlp, tmp_path, hypothesis):
    (tmp_path / "gold").write_text("a\nb\nc\na\n")
    result = seqnlp("score", "accuracy", tmp_path / "gold", stdin=hypothesis, code=3)
    assert len(result.errors) == 1 and "4" in result.err and str(hypothesis.count("\n")) in result.err


def test_score_does_not_take_json_for_labels(seqnlp, tmp_path):
    (tmp_path / "gold.tsv").write_text("x\ta\ny\tb\n")
    lines = "".join(json.dumps({"text": "x", "classify": {"label": label}}) + "\n" for label in "ab")
    result = seqnlp("score", "accuracy", tmp_path / "gold.tsv", stdin=lines, code=None)
    assert result.code in (2, 3) or result.json["scores"][0]["value"] == 100  # refused or read; never 0 without a word


def test_score_is_a_table_on_a_terminal_with_labels_as_they_are(seqnlp, tmp_path):
    (tmp_path / "gold").write_text("[/x]\n[red]\né\n")
    code, shown = seqnlp.on_terminal("score", "accuracy", tmp_path / "gold", tmp_path / "gold")
    assert code == 0, shown
    assert "100.00" in shown and "{" not in shown
    for label in ("[/x]", "[red]", "é"):
        assert label in shown


def test_info_is_json_in_a_pipe_and_a_table_on_a_terminal(seqnlp, model):
    content, config = seqnlp("info", model).json, json.loads((model / "config.json").read_text())
    assert {key: content[key] for key in config} == config
    code, shown = seqnlp.on_terminal("info", model)
    assert code == 0 and "model of classify" in shown and "hidden_size 7" in shown and "{" not in shown
    for name in ("labels", "reads", "parameters", "size", "dev accuracy", "date", "settings", "use"):
        assert name in shown, shown


def test_no_color_is_no_color(seqnlp, model, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in seqnlp.on_terminal("info", model)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in seqnlp.on_terminal("info", model)[1]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"format_version": 1}', '{"format_version": 99}'])
def test_info_of_a_damaged_model_is_one_line(seqnlp, model, tmp_path, content):
    folder = shutil.copytree(model, tmp_path / "copied")
    (folder / "config.json").write_text(content)
    result = seqnlp("info", folder, code=4)
    assert result.out == "" and len(result.errors) == 1 and "copied" in result.err
