"""What every task keeps: it learns, saves and loads, and predicts the same however the inputs come together."""

import dataclasses
import json
import logging
import shutil

import huggingface_hub
import pytest
import torch
from task_cases import ONE_A_TASK, TRAINING, first_task, most_slow, one_a_task, tried_on

import seqnlp
from seqnlp import errors
from seqnlp.metrics import base as metrics
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import formats, schema
from seqnlp.tasks import registry
from seqnlp.workflows import encode, evaluate, pack, prepare, train
from seqnlp.workflows import predict as prediction


def close(first, second):
    """Whether two predictions are the same up to the last digits of their numbers."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(close(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(close, first, second))
    if isinstance(first, float):
        return abs(first - second) <= 2e-4  # numbers are rounded to four digits
    return first == second


def corpus_of(model, inputs):
    """The examples of lines to predict."""
    role, search = model.task.roles[0], model.task.Search()
    records = [formats.Record({role: text}, text, "input", number) for number, text in enumerate(inputs, 1)]
    return [model.task.example(record, search) for record in records]


def value(model, example, found):
    return None if found is None else model.task.output.value(example, found, model.codec)


def values(model, inputs, limits):
    corpus = corpus_of(model, inputs)
    found = model.run(corpus, model.task.Search(), limits)
    return [value(model, example, result) for example, result in zip(corpus, found, strict=True)]


def test_every_registered_task_has_a_case(cases):
    assert set(registry.REGISTRY) <= {case.task for case in cases}, "give the new task a corpus in task_cases.py"


def test_the_task_is_found_by_its_name(case):
    assert registry.get(case.task).name == case.task


def test_every_option_says_what_it_does(case):
    chapter = registry.get(case.task)
    for kind in (chapter.Config, chapter.Search):
        for field in dataclasses.fields(kind):
            assert field.metadata["help"].endswith((".", ")")) or "none" in field.metadata["help"], field.name


def learnt(result, case):
    """Whether a model scores as one that has learnt the corpus of the case."""
    score = result["scores"][0]
    return not metrics.better(case.learnt, score["value"], higher_is_better=score["higher_is_better"])


def test_it_learns_the_corpus(case, trained):
    assert learnt(trained[1], case)


def test_the_result_is_json(trained):
    json.dumps(trained[1], allow_nan=False)


def test_every_parameter_gets_a_gradient(case, tmp_path):
    ready = prepare.prepare(case.job(tmp_path / "model"))
    model, data = ready.model, ready.data
    network = model.networks[0].train()
    torch.manual_seed(0)
    for batch in data.epoch(0):
        network(data.load(batch)).sum.backward()
    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.to_dense().any())
    ]
    assert not silent


@one_a_task
def test_preparing_twice_gives_the_same_and_changes_no_random_number(case, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    before = torch.get_rng_state()
    one, other = (prepare.prepare(case.job(tmp_path / name / "model")) for name in "ab")
    assert torch.equal(torch.get_rng_state(), before)
    for first, second in zip(one.model.networks[0].parameters(), other.model.networks[0].parameters(), strict=True):
        assert torch.equal(first, second)


@tried_on(ONE_A_TASK[-2:])  # the other ones are counted in tokens
def test_by_default_the_steps_are_a_thousand_and_not_much_more(case, tmp_path):
    training = dataclasses.replace(case.training, epochs=None)
    ready = prepare.prepare(case.job(tmp_path / "model", training=training))
    assert 1000 <= ready.training.epochs * len(ready.data.epoch(0)) < 1100


@pytest.mark.parametrize("name", ["lm", "forecast"])
def test_rows_that_do_not_meet_in_buckets_are_not_packed(name):
    task, plan = registry.get(name), buckets.Plan(((3,),), buckets.Limits())
    with pytest.raises(errors.UsageError, match=r"order|windows"):
        task.batches(None, task.Config(), None, TRAINING, plan)


def test_a_loaded_model_scores_what_training_said(case, trained, model):
    source = case.job(trained[0]).dev
    result, mistakes = evaluate.evaluate(model, str(trained[0]), source, model.task.Search(), buckets.Limits())
    assert result["scores"] == trained[1]["scores"]
    assert result["data"].items() <= trained[1]["data"].items()
    assert json.dumps(result["details"]) == json.dumps(trained[1]["details"])
    assert all(isinstance(mistake, dict) for mistake in mistakes)


def test_a_copied_folder_predicts_the_same(case, trained, model, tmp_path):
    copy = shutil.copytree(trained[0], tmp_path / "elsewhere")
    assert prediction.load(copy, device="cpu").predict(case.inputs) == model.predict(case.inputs)


def test_the_package_loads_a_model_by_its_folder(case, trained, model):
    assert seqnlp.load(str(trained[0]), device="cpu").predict(case.inputs) == model.predict(case.inputs)


def test_a_loaded_model_changes_nothing(case, trained, model):
    before = {path.name: path.read_bytes() for path in trained[0].iterdir()}
    model.predict(case.inputs[:1])
    assert {path.name: path.read_bytes() for path in trained[0].iterdir()} == before


def test_a_batch_predicts_what_its_members_predict_alone(case, model):
    together = model.predict(case.inputs)
    for text, found in zip(case.inputs, together, strict=True):
        assert close(model.predict([text])[0], found), text


@pytest.mark.parametrize("limits", [(8192, 1), (8192, 7), (8192, 64), (13, 64), (1, 64)])
def test_predictions_do_not_depend_on_the_batch_size(case, model, limits):
    assert close(values(model, case.inputs, buckets.Limits(*limits)), model.predict(case.inputs))


@most_slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_predictions_do_not_depend_on_the_threads_that_share_the_batches(case, model, precision):
    """Inputs enough for many batches at once; in bf16 the same batches give the same numbers too."""
    inputs, limits, before = case.inputs * 3, buckets.Limits(8192, 4), torch.get_num_threads()
    chosen = dataclasses.replace(model, precision=precision)
    try:
        torch.set_num_threads(4)
        together = [values(chosen, inputs, limits) for _ in range(2)]
        torch.set_num_threads(1)
        alone = values(chosen, inputs, limits)
    finally:
        torch.set_num_threads(before)
    assert all(close(one, alone) for one in together)


def test_predictions_do_not_depend_on_the_order(case, model):
    assert close(model.predict(case.inputs[::-1]), model.predict(case.inputs)[::-1])


def test_predicting_twice_gives_the_same(case, model):
    assert model.predict(case.inputs) == model.predict(case.inputs)


def test_blank_in_nothing_out(case, model):
    found = model.predict(case.inputs)
    assert [value is None for value in found] == [not text.strip() for text in case.inputs]


@pytest.mark.parametrize("inputs", [[], [""], ["", " "]])
def test_nothing_to_predict(model, inputs):
    assert model.predict(inputs) == [None] * len(inputs)


def test_predictions_are_json(case, model):
    found = model.predict(case.inputs)
    assert close(json.loads(json.dumps(found, allow_nan=False)), found)


def test_predictions_are_written_as_one_line(case, model):
    corpus, search = corpus_of(model, case.inputs), model.task.Search()
    for example, found in zip(corpus, model.run(corpus, search), strict=True):
        assert "\n" not in model.task.output.write(example, found, "text", search, model.codec)


def test_text_and_json_are_read_back_as_the_same_answer(case, model):
    task, search = model.task, model.task.Search()
    corpus = [example for example in corpus_of(model, case.inputs) if not example.blank]
    for example, found in zip(corpus, model.run(corpus, search), strict=True):
        text = task.output.write(example, found, "text", search, model.codec)
        value = json.loads(json.dumps(task.output.value(example, found, model.codec)))
        assert task.output.parse(text, model.config) == task.output.parse(value, model.config)


def test_a_stream_gives_every_example_its_prediction_in_order(case, model):
    corpus = corpus_of(model, case.inputs)
    pairs = [pair for window in model.stream(iter(corpus), model.task.Search(), buckets.Limits()) for pair in window]
    assert [example for example, _ in pairs] == corpus
    found = [value(model, example, result) for example, result in pairs]
    assert close(found, model.predict(case.inputs))


def by_the_chain(job, folder, packs):
    """The same job, its corpora encoded, and packed where they can be."""
    chapter, chosen, names = registry.get(job.task), job.training, [str(folder / n) for n in ("train", "packed", "dev")]
    encode.encode(chapter, job.train, job.config, folder / "train")
    encode.encode(chapter, job.dev, job.config, folder / "dev", codec_of=names[0])
    if packs:
        pack.pack(names[0], folder / "packed", max_tokens=chosen.max_tokens, batch_size=chosen.batch_size)
    return dataclasses.replace(job, train=schema.Source((names[packs],)), dev=schema.Source((names[2],)))


@most_slow
def test_the_same_seed_gives_the_same_model_byte_for_byte_and_so_does_the_chain(short, tmp_path):
    (case, made), folder = short, tmp_path / "model"
    train.train(by_the_chain(case.job(folder), tmp_path, case.packs))
    for path in made.iterdir():
        if path.name not in {"config.json", "README.md", "history.jsonl"}:  # they hold seconds
            assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


@most_slow
def test_a_stopped_run_goes_on_to_the_same_model(short, tmp_path):
    (case, made), folder, events = short, tmp_path / "model", []

    def stop():
        return 15 if len(events) > 20 and "evaluation" in events else 0

    with pytest.raises(errors.Stopped):
        train.train(case.job(folder), watch=lambda what, _: events.append(what), stop=stop)
    half = prediction.load(folder, device="cpu")
    assert len(half.predict(case.inputs)) == len(case.inputs)
    result = train.train(case.job(folder))
    assert (folder / "model.safetensors").read_bytes() == (made / "model.safetensors").read_bytes()
    assert result["scores"] == json.loads((made / "config.json").read_text())["scores"]
    assert history(folder) == history(made)
    assert not (folder / "checkpoint").exists()


def history(folder):
    """The lines of the history, but for the time."""
    rows = map(json.loads, (folder / "history.jsonl").read_text().splitlines())
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@first_task
def test_a_finished_run_that_is_made_longer_may_be_stopped_too(case, trained, tmp_path):
    whole, stopped = (shutil.copytree(trained[0], tmp_path / name) for name in ("whole", "stopped"))
    longer, events = dataclasses.replace(case.training, epochs=case.training.epochs + 5), []
    train.train(case.job(whole, training=longer))
    with pytest.raises(errors.Stopped):
        train.train(
            case.job(stopped, training=longer),
            watch=lambda what, _: events.append(what),
            stop=lambda: 15 if events.count("evaluation") == 2 else 0,
        )
    with pytest.raises(errors.ModelError, match="its training is not finished") as refused:
        train.train(case.job(tmp_path / "on", init_from=str(stopped)))
    assert refused.value.hint == "the same train command finishes it"
    train.train(case.job(stopped, training=longer))
    assert (stopped / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_finished_run_gives_its_result_again_at_once(case, trained):
    def fail(*_):
        raise AssertionError("it trains again")

    assert train.train(case.job(trained[0]), watch=fail) == json.loads(json.dumps(trained[1]))


def test_another_seed_is_another_run(case, trained):
    other = dataclasses.replace(case.training, seed=99)
    with pytest.raises(errors.UsageError, match=r"holds another run \(--seed 1 there, 99 here\)"):
        train.train(case.job(trained[0], training=other))


def more_of(case, folder):
    """The other corpus of a case, with the same targets."""
    for name, content in case.more.items():
        (folder / name).write_text(content, encoding="utf-8")
    return schema.Source(tuple(str(folder / name) for name in case.more))


@most_slow
def test_training_goes_on_from_a_model(case, trained, tmp_path):
    """Steps that change nothing leave the weights that it began with; what is fitted apart is no parameter."""
    job = case.job(tmp_path / "model", init_from=str(trained[0]), train=more_of(case, tmp_path))
    still = dataclasses.replace(case.training, epochs=1, learning_rate=1e-12)
    result = train.train(dataclasses.replace(job, training=still))
    assert result["start"] == {"model": str(trained[0]), "scores": trained[1]["scores"]}
    before, after = (prediction.load(folder, device="cpu").networks[0] for folder in (trained[0], tmp_path / "model"))
    torch.testing.assert_close(dict(after.named_parameters()), dict(before.named_parameters()), rtol=0, atol=1e-6)


@most_slow
def test_training_goes_on_without_what_is_in_dev(case, trained, tmp_path):
    if not registry.get(case.task).independent:
        pytest.skip("its rows are a text")
    job = case.job(tmp_path / "model", init_from=str(trained[0]), dev=more_of(case, tmp_path))
    train.train(dataclasses.replace(job, training=dataclasses.replace(case.training, epochs=1)))
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    task = registry.get(case.task)
    rows, held = ([example.source for example in task.read(one, job.config)] for one in (job.train, job.dev))
    assert config["sizes"]["train"] == sum(source not in held for source in rows)
    assert (tmp_path / "model" / "model.safetensors").read_bytes() != (trained[0] / "model.safetensors").read_bytes()


def test_what_training_never_saw_is_reported_and_counted_as_wrong(case, model, tmp_path, caplog):
    if case.strange is None:
        pytest.skip("this case has no strange targets")
    files, count = case.strange
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    source = schema.Source(tuple(str(tmp_path / name) for name in files))
    with caplog.at_level(logging.WARNING):
        result, mistakes = evaluate.evaluate(model, "m", source, model.task.Search(), buckets.Limits())
    assert [record.getMessage() for record in caplog.records] == [
        f"{count} labels that training never saw: counted as wrong"
    ]
    assert len(mistakes) >= count
    assert result["details"]["unseen"] == count


def test_what_training_never_saw_is_reported_once_when_it_stands_in_dev(case, tmp_path, caplog):
    if case.strange is None:
        pytest.skip("this case has no strange targets")
    files, count = case.strange
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    dev = schema.Source(tuple(str(tmp_path / name) for name in files))
    training = dataclasses.replace(case.training, epochs=2)
    with caplog.at_level(logging.WARNING):
        train.train(case.job(tmp_path / "model", dev=dev, training=training))
    warnings = [record.getMessage() for record in caplog.records]
    assert [text for text in warnings if "never saw" in text] == [
        f"{count} labels that training never saw: counted as wrong"
    ]


def test_without_dev_a_part_is_split_off(case, tmp_path, caplog):
    job = case.job(tmp_path / "model", dev=None, training=dataclasses.replace(case.training, epochs=1))
    train.train(job)
    content = json.loads((tmp_path / "model" / "config.json").read_text())
    total = content["sizes"]["train"] + content["sizes"]["dev"]
    if case.dev is None:
        assert total // 10 <= content["sizes"]["dev"] <= total // 8  # of a text a tenth of its characters
    else:  # the end of each row
        assert content["sizes"]["dev"] == content["sizes"]["train"]
    assert "no --dev: a part of the training data is split off, by --seed 1" in caplog.text


def test_the_model_card_tells_the_score(trained):
    card = (trained[0] / "README.md").read_text()
    score = trained[1]["scores"][0]
    assert f"| {score['name']} | {score['value']:.2f} |" in card


def test_the_hub_reads_the_model_card(case, trained):
    content = json.loads((trained[0] / "config.json").read_text())
    data = huggingface_hub.ModelCard.load(trained[0] / "README.md").data
    assert data.license == "unknown" and data.library_name == "seqnlp" and case.task in data.tags
    assert data.pipeline_tag == (registry.get(case.task).pipeline_tag or None)
    assert data.model_name == trained[0].name
    assert {result.metric_type: result.metric_value for result in data.eval_results} == {
        score["name"]: score["value"] for score in content["scores"]
    }


def test_labels_are_counted_in_config_and_card(case, trained):
    content, card = json.loads((trained[0] / "config.json").read_text()), (trained[0] / "README.md").read_text()
    if registry.get(case.task).answers == "texts":
        assert content["labels"] == {} and "## Labels" not in card
    for name, number in content["labels"].items():
        assert number > 0 and f"| {name} | {number} |" in card


def test_history_has_a_line_for_each_evaluation(case, trained):
    rows = [json.loads(line) for line in (trained[0] / "history.jsonl").read_text().splitlines()]
    epochs = [row["epoch"] for row in rows]
    if case.training.eval_every is None:
        assert epochs == list(range(1, case.training.epochs + 1))
    else:
        assert [row["step"] for row in rows[:-1]] == [case.training.eval_every * n for n in range(1, len(rows))]
    assert epochs[-1] == case.training.epochs


def test_a_model_of_another_task_is_refused(case, trained):
    with pytest.raises(errors.ModelError, match=f"is a model of {case.task}, not of cooking"):
        prediction.load(trained[0], task="cooking")


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_folder_is_refused(trained, tmp_path, damage):
    folder = shutil.copytree(trained[0], tmp_path / "model")
    for name in json.loads((folder / "config.json").read_text())["files"]:
        path = folder / name
        content = path.read_bytes()
        path.unlink() if damage == "missing" else path.write_bytes(content + b" ")
        with pytest.raises(errors.ModelError, match=r"is missing|is damaged or was changed"):
            prediction.load(folder)
        path.write_bytes(content)
    prediction.load(folder)
