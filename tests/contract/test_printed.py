"""What predict prints, in every format of input and output, scores as eval does."""

import csv
import dataclasses
import json

import pytest
from task_cases import CASES, others_slow, tried_on

from seqnlp import errors
from seqnlp.metrics import measure
from seqnlp.metrics import registry as metrics
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import readers, schema
from seqnlp.tasks import registry
from seqnlp.workflows import answers, evaluate

WRONG = {
    "classify": "a red\tfruit\nan apple\tcolour\n",
    "tag": "a\tB-fruit\nred\tO\n\n",
    "lm": 'one three, "five"\n',
    "translate": "eins zwei\tone too\ndrei\tfour, five\n",
    "summarize": "it eins was\tone too\nand drei\tfour, five\n",
}
METRIC = {"labels": "f1", "tags": "spans", "texts": "chrf", "likelihoods": "bits_per_character", "summarize": "rouge"}


def write(folder, files):
    """Write a corpus and return it as a source."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return schema.Source(tuple(str(folder / name) for name in files))


def plain(value):
    return value if isinstance(value, str) else " ".join(value)


def written(form, records, roles, path):
    """A corpus in another form, and how to read it."""
    if form == "jsonl":
        rows = [json.dumps({"id": n, **record}) + "\n" for n, record in enumerate(records)]
        path.write_text("".join(rows), encoding="utf-8")
        return schema.Source((str(path),))
    header = ["id", *roles]
    rows = [[n, *(plain(record[role]) for role in roles)] for n, record in enumerate(records)]
    if form == "tsv":
        path.write_text("".join("\t".join(map(str, row)) + "\n" for row in [header, *rows]), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    columns = {role: role for role in roles}
    return schema.Source((str(path),), header=True, columns=columns)


@pytest.fixture(params=["as it is", "tsv", "csv", "jsonl"])
def source(request, case, tmp_path):
    """The corpus of a case and some that is wrong, as it is, or in another form with a column more."""
    if case.task not in WRONG:
        pytest.skip("its corpus is no list of pairs; its own tests score what it prints")
    ((name, content),) = case.corpus.items()
    content = content.replace("\n\n", "\n") if case.task == "lm" else content  # blank lines have no prediction
    ((_, strange),) = (case.strange or [{"x.tsv": WRONG[case.task]}])[0].items()
    made = write(tmp_path, {name: content + strange})
    if request.param == "as it is":
        return made
    task = registry.get(case.task)
    made = dataclasses.replace(made, layout=task.layout(task.Config(**case.config)))
    records = [record.values for record in readers.records(made, task.roles, targets=True)]
    return written(request.param, records, task.roles, tmp_path / f"corpus.{request.param}")


def said(model, source, output, search):
    examples = list(model.task.read_inputs(source, model.config, search))
    writer = model.writer(output, search)
    return "".join(map(writer, examples, model.run(examples, search)))


def scores(case, source, path, metric):
    scoring = answers.Scoring(source, str(path), case.config.get("multi_label", False))
    gold, predicted = answers.READERS[metrics.METRICS[metric].inputs](scoring)
    options = metrics.Options(multi_label=scoring.multi_label)
    return {score.name: score.value for score in measure.by_name(metric, gold, predicted, options)[0]}


def test_further_references_count_in_eval(case, trained, model, tmp_path):
    if model.task.answers != "texts":
        pytest.skip("its answers are no texts")
    made = write(tmp_path, {"x.tsv": "eins\tfive\n\tblank\nzwei\tone\n", "more": "one\nx\ntwo\n"})
    several = dataclasses.replace(made, paths=made.paths[:1], references=made.paths[1:])
    search = model.task.Search()
    alone, _ = evaluate.evaluate(model, "m", dataclasses.replace(several, references=()), search, buckets.Limits())
    result, mistakes = evaluate.evaluate(model, "m", several, search, buckets.Limits())
    values = [{score["name"]: score["value"] for score in one["scores"]} for one in (alone, result)]
    exact = next(name for name in ("exact_match", "rouge1") if name in values[0])
    assert values[0][exact] == 0 and {values[1][name] for name in ("rouge1", "rougeL", exact)} == {100}
    assert values[1].get("chrf", 100) == 100
    assert mistakes == [] and list(result["data"]) == [*made.paths]
    (tmp_path / "more").write_text("one\n")
    with pytest.raises(errors.DataError, match=r"more: 1 references, .* has 3"):
        evaluate.evaluate(model, "m", several, search, buckets.Limits())


FLAGS = {"labels": [{}, {"scores": True}], "tags": [{}, {"scores": True}], "texts": [{}], "likelihoods": [{}]}
SEARCH = {"likelihoods": {"lines": True}}  # as predict reads


# They print what the first of their task prints.
NETWORKS = ("tag-characters", "translate-separate", "classify-words", "classify-attention", "lm-char")


@tried_on(others_slow(*{case.name for case in CASES}.difference(NETWORKS)))
def test_what_predict_prints_scores_as_eval_does(case, trained, model, source, tmp_path):
    search = model.task.Search(**SEARCH.get(model.task.answers, {}))
    result, _ = evaluate.evaluate(model, str(trained[0]), source, search, buckets.Limits())
    expected = {score["name"]: score["value"] for score in result["scores"]}
    assert 0 < result["scores"][0]["value"] < 100
    for output in model.task.output.formats:
        for flags in FLAGS[model.task.answers]:
            if flags.get("scores") and output == "conllu":
                continue
            for name in ("said", f"said.{output}"):
                (tmp_path / name).write_text(said(model, source, output, model.task.Search(**flags)), encoding="utf-8")
                found = scores(case, source, tmp_path / name, METRIC.get(case.task, METRIC[model.task.answers]))
                common = {"accuracy"} if case.name == "tag-plain" else found.keys() & expected.keys()
                assert common, output
                for score in common:
                    assert found[score] == pytest.approx(expected[score], abs=1e-4), (output, flags, name, score)
