"""forecast: series with a week through the installed command: train, eval, predict, and what is wrong with files."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

import seqnlp as package
from seqnlp import errors

SMALL = "--hidden-size 8 --epochs 2 --precision fp32 --window 14 --horizon 3".split()


def rows(first, last, names="ab"):
    """The values of some days: a week, and a promotion every ninth day that lifts them."""
    for name in names:
        for day in range(first, last):
            promo = int(day % 9 == 0)
            value = 50 * (1 + names.index(name)) + 10 * math.sin(2 * math.pi * day / 7) + 8 * promo
            yield name, f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}", round(value, 2), promo


def table(rows, *, values=True):
    lines = [f"{shop},{step},{value if values else ''},{promo},{shop * 2}" for shop, step, value, promo in rows]
    return "\n".join(["shop,step,sold,promo,kind", *lines]) + "\n"


def numbered(first, last, names="ab"):
    """The same with the days numbered."""
    return [
        (name, day, *rest)
        for (name, _, *rest), day in zip(rows(first, last, names), days(first, last, names), strict=True)
    ]


def days(first, last, names):
    return [day for _ in names for day in range(first, last)]


FIELDS = ["--id-field", "shop", "--time-field", "step", "--value-field", "sold"]


@pytest.fixture(scope="module")
def trained(seqnlp):
    """A small model, and the files that it is tried on."""
    for name, first, last in [("shops", 0, 80), ("shops-test", 80, 89), ("shops-later", 85, 89), ("shops-all", 0, 89)]:
        (seqnlp.folder / f"{name}.csv").write_text(table(numbered(first, last)))
    return "shops", seqnlp("forecast", "train", "shops.csv", "-o", "shops", *FIELDS, "--season", 7, *SMALL).json


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_train_tells_methods_steps_and_intervals(trained):
    _, result = trained
    assert [score["name"] for score in result["scores"]] == ["mase", "smape", "mae", "rmse"]
    details = result["details"]
    assert set(details["methods"]) == {"network", "last", "seasonal", "theta"}
    assert details["method"] == min(details["methods"], key=lambda name: details["methods"][name]["mase"])
    assert [row["step"] for row in details["steps"]] == [1, 2, 3]
    assert 0 <= details["intervals"]["80"]["coverage"] <= 100


def test_predict_without_a_file_goes_on_from_the_training_part(seqnlp, trained):
    found = read(seqnlp("forecast", "predict", trained[0]).out)
    assert [(row["id"], row["time"]) for row in found] == [(name, str(day)) for name in "ab" for day in (80, 81, 82)]
    assert all(float(row["lo"]) <= float(row["value"]) <= float(row["hi"]) for row in found)


def test_predict_with_a_file_goes_on_from_that(seqnlp, trained):
    found = read(seqnlp("forecast", "predict", trained[0], "shops-test.csv").out)
    assert [row["time"] for row in found] == ["89", "90", "91"] * 2
    assert seqnlp("forecast", "predict", trained[0], "shops-all.csv").out.splitlines()[1:] == [
        ",".join(row.values()) for row in found
    ]
    piped = seqnlp("forecast", "predict", trained[0], "-", stdin=(seqnlp.folder / "shops-test.csv").read_bytes())
    assert read(piped.out) == found


def test_the_intervals_that_are_asked_for(seqnlp, trained):
    out = seqnlp("forecast", "predict", trained[0], "--intervals", "80,95").out
    assert out.splitlines()[0] == "id,time,value,lo_80,hi_80,lo_95,hi_95"
    assert seqnlp("forecast", "predict", trained[0], "--intervals", "none").out.splitlines()[0] == "id,time,value"
    wrong = seqnlp("forecast", "predict", trained[0], "--intervals", "0.8", code=2)
    assert "--intervals 0.8: not percentages from 1 to 99" in wrong.err


def test_json_has_a_series_a_line(seqnlp, trained):
    lines = seqnlp("forecast", "predict", trained[0], "--to", "jsonl").lines
    found = read(seqnlp("forecast", "predict", trained[0]).out)
    first = json.loads(lines[0])
    assert first["shop"] == "a" and first["forecast"]["time"] == ["80", "81", "82"]
    assert first["forecast"]["value"] == [float(row["value"]) for row in found[:3]]
    assert first["forecast"]["intervals"]["80"][0] == [float(row["lo"]) for row in found[:3]]


def test_eval_rolls_on_and_folds_are_the_last(seqnlp, trained):
    whole = seqnlp("forecast", "eval", trained[0], "shops-test.csv", "--errors", "worst.tsv").json
    assert whole["scores"][0]["n"] == 6  # two series, three origins each
    assert (seqnlp.folder / "worst.tsv").read_text().splitlines()[0].startswith("where\tseries\tmase")
    assert seqnlp("forecast", "eval", trained[0], "shops-all.csv").json["scores"] == whole["scores"]
    assert seqnlp("forecast", "eval", trained[0], "shops-test.csv", "--folds", 1).json["scores"][0]["n"] == 2
    strict = seqnlp("forecast", "eval", trained[0], "shops-test.csv", "--fail-under", 1e-9, code=5)
    assert "mase" in strict.err


def test_what_predict_writes_scores_what_eval_says(seqnlp, trained):
    (seqnlp.folder / "next.csv").write_text(table(numbered(80, 83)))
    scores = {
        score["name"]: score["value"] for score in seqnlp("forecast", "eval", trained[0], "next.csv").json["scores"]
    }
    for form in ("csv", "tsv", "jsonl", "text"):
        said = seqnlp("forecast", "predict", trained[0], "--to", form, "-o", f"said.{form}")
        assert not said.out
        for name in ("mae", "rmse", "smape"):
            found = seqnlp("score", name, "next.csv", f"said.{form}", *FIELDS).json
            assert found["scores"][0]["value"] == pytest.approx(scores[name], rel=1e-4), form
    options = ["--history", "history.csv", "--season", 7]
    (seqnlp.folder / "history.csv").write_text(table(numbered(0, 80)).replace("shop,step,sold", "id,time,value"))
    found = seqnlp("score", "mase", "next.csv", "said.csv", *FIELDS, *options).json["scores"][0]
    assert found["value"] == pytest.approx(scores["mase"], rel=1e-4)


def test_rows_that_the_model_knows_are_nothing_to_score(seqnlp, trained):
    result = seqnlp("forecast", "eval", trained[0], "shops.csv", code=3)
    assert "shops.csv: nothing to forecast: the model knows all of its values" in result.err


def test_rows_after_a_gap_are_refused(seqnlp, trained):
    result = seqnlp("forecast", "eval", trained[0], "shops-later.csv", code=3)
    assert "shops-later.csv:2: begins at 85, 5 steps after what the model knows: 79" in result.err


def test_columns_that_are_known_ahead(seqnlp, trained):
    command = ["forecast", "train", "shops.csv", "-o", "promo", *FIELDS, "--season", 7, *SMALL]
    seqnlp(*command, "--future", "promo", "--static", "kind", "--model", "network")
    result = seqnlp("forecast", "predict", "promo", code=3)
    assert "series 'a': promo is known for 0 of the 3 steps to forecast" in result.err
    (seqnlp.folder / "ahead.csv").write_text(table(numbered(80, 83), values=False))
    plain = read(seqnlp("forecast", "predict", "promo", "ahead.csv").out)
    assert [row["time"] for row in plain] == ["80", "81", "82"] * 2
    other = table([(*row[:3], 1) for row in numbered(80, 83)], values=False)
    (seqnlp.folder / "lifted.csv").write_text(other)
    lifted = read(seqnlp("forecast", "predict", "promo", "lifted.csv").out)
    assert [row["value"] for row in lifted] != [row["value"] for row in plain]
    assert seqnlp("forecast", "eval", "promo", "shops-test.csv").json["scores"][0]["n"] == 6


def test_a_column_of_numbers(seqnlp):
    (seqnlp.folder / "plain.txt").write_text("".join(f"{math.sin(n / 5):.4f}\n" for n in range(120)))
    seqnlp("forecast", "train", "plain.txt", "-o", "of-numbers", "--horizon", 1, "--epochs", 1, "--hidden-size", 4)
    assert seqnlp("forecast", "predict", "of-numbers").lines[0] == "time,value,lo,hi"
    assert seqnlp("forecast", "predict", "of-numbers").lines[1].startswith("121,")
    assert seqnlp("forecast", "predict", "of-numbers", "--to", "text").lines[0].count(" ") == 0


WRONG = [
    ("date,value\n2024-01-01,1\n2024-01-02,x\n", [], 3, "wrong.csv:3: the value is 'x', expected a number"),
    (
        "date,value\n2024-01-01,1\n2024-01-02,2\n",
        [],
        3,
        "wrong.csv:2: 2 values are too few to hold out a dev part of 7",
    ),
    (
        "date,value\n2024-01-01,1\n2024-01-03,2\n2024-01-04,2\n",
        [],
        3,
        "1 missing between (frequency: day); hint: --gaps",
    ),
    ("a,b,c,d\n1,2,3,4\n", [], 3, "which is the value?"),
    (
        "value\n" + "1\n" * 50,
        ["--season", 9, "--window", 5, "--subtract", "seasonal"],
        2,
        "needs a --window of a season",
    ),
    ("value\n" + "1\n2\n" * 50, ["--segment", 3, "--window", 10], 2, "--segment 3 does not divide --window 10"),
]


@pytest.mark.parametrize(("content", "flags", "code", "what"), WRONG, ids=[what for *_, what in WRONG])
def test_bad_input(seqnlp, content, flags, code, what):
    (seqnlp.folder / "wrong.csv").write_text(content)
    result = seqnlp("forecast", "train", "wrong.csv", "-o", "wrong", *flags, code=code)
    assert what in result.errors[-1]


def test_a_constant_series_stays_as_it_is(seqnlp):
    (seqnlp.folder / "same.csv").write_text("value\n" + "4.5\n" * 60)
    result = seqnlp("forecast", "train", "same.csv", "-o", "same", "--horizon", 2, "--epochs", 1).json
    assert result["scores"][0]["name"] == "smape"  # there is nothing that MASE could divide by
    assert [line.split(",")[1] for line in seqnlp("forecast", "predict", "same").lines[1:]] == ["4.5", "4.5"]


@pytest.mark.parametrize("name", ["picture.png", "picture.svg"])
def test_pictures(seqnlp, trained, name):
    pytest.importorskip("matplotlib")
    seqnlp("forecast", "predict", trained[0], "--plot", name)
    seqnlp("forecast", "eval", trained[0], "shops-test.csv", "--plot", f"eval-{name}")
    assert all(Path(seqnlp.folder / path).stat().st_size > 1000 for path in (name, f"eval-{name}"))


def test_a_picture_says_when(seqnlp, trained):
    pytest.importorskip("matplotlib")
    first = read(seqnlp("forecast", "predict", trained[0], "--plot", "predict.svg").out)[0]
    seqnlp("forecast", "eval", trained[0], "shops-test.csv", "--plot", "eval.svg")
    for name in ("predict.svg", "eval.svg"):  # both forecast from the same place on
        assert f"<!-- {first['time']} -->" in Path(seqnlp.folder / name).read_text()


def test_a_picture_of_another_kind_is_refused(seqnlp, trained):
    result = seqnlp("forecast", "predict", trained[0], "--plot", "picture.txt", code=2)
    assert "--plot picture.txt: is named like no picture" in result.err


def test_python_does_what_the_command_does(seqnlp, trained):
    model = package.load(seqnlp.folder / trained[0], device="cpu")
    lines = seqnlp("forecast", "predict", trained[0], "--to", "jsonl").lines
    assert model.predict() == [json.loads(line)["forecast"] for line in lines]
    history = [float(n % 7) for n in range(30)]
    (found,) = model.predict([history], intervals="50")
    assert found["time"] == ["31", "32", "33"] and list(found["intervals"]) == ["50"]
    assert model.predict([" ".join(map(str, history)), "", []], intervals="50") == [found, None, None]
    with pytest.raises(errors.DataError, match=r"input:1: the value is 'x', expected a number"):
        model.predict([["x"]])


def test_a_step_that_there_is_not_is_refused(seqnlp):
    result = seqnlp("forecast", "train", "shops.csv", "-o", "no", *FIELDS, "--frequency", "moon", code=2)
    assert "--frequency moon: not a step" in result.err


def test_check_knows_series_when_it_sees_them(seqnlp, trained):
    assert seqnlp("check", "shops.csv", *FIELDS).json["task"] == "forecast"
    assert seqnlp("check", "dev.tsv").json["task"] == "classify"
