"""Tasks whose rows do not meet in buckets: a stream with a carried state, and windows, through the same workflows."""

import dataclasses
import itertools
import json
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
import stream_task
import torch
import windows_task

from seqnlp import errors, options
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import encode, evaluate, jobs, prepare, train
from seqnlp.workflows import predict as prediction

WORDS = ["one ", "two ", "three ", "four ", "five ", "six "]


class Case(NamedTuple):
    """A task, the lines of its corpus, and what is far better than chance."""

    task: Any
    lines: list[str]
    good: float
    training: options.Training


def counting(first, number):
    """So many words from the count to six and over again."""
    return "".join(itertools.islice(itertools.cycle(WORDS), first, first + number)).strip()


def waves(number):
    """Values of a wave of 9 steps around 50, of another phase and height in every series."""
    steps, rng = np.arange(40 + number), np.random.default_rng(number)
    return 50 + rng.uniform(5, 15) * np.sin(2 * np.pi * steps / 9 + rng.uniform(0, 9))


SMALL = options.Training(learning_rate=0.02, warmup_steps=5, batch_size=5, precision="fp32")
CASES = {
    # Of some 16 letters the likeliest one is a fifth; only the second letter of a line cannot be foreseen.
    "stream": Case(
        stream_task.TASK,
        [counting(n % 6, 7 + n % 5) for n in range(40)],
        80,
        dataclasses.replace(SMALL, epochs=4, eval_every=30),
    ),
    # The mean of all values is off by some 6, the last value by more.
    "windows": Case(
        windows_task.TASK,
        [" ".join(f"{value:.3f}" for value in waves(n)) for n in range(9)],
        2,
        dataclasses.replace(SMALL, epochs=3, eval_every=20, schedule="cosine"),
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """A task that is registered as long as it is tried."""
    name, made = request.param, CASES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.REGISTRY, name, "try a policy of batches")
        patch.setitem(sys.modules, f"seqnlp.tasks.{name}.task", sys.modules[type(made.task).__module__])
        yield made


def job(case, folder):
    folder.parent.mkdir(exist_ok=True)
    corpus = folder.parent / "corpus.txt"
    corpus.write_text("\n".join(case.lines) + "\n", encoding="utf-8")
    source = schema.Source((str(corpus),), format="text")
    return jobs.Job(case.task.name, source, source, folder, case.task.Config(), case.training, device="cpu")


@pytest.fixture(scope="module")
def trained(case, tmp_path_factory):
    """The folder of the case's model, and the result of its training."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(case.task.name) / "model"
    return folder, train.train(job(case, folder))


def history(folder):
    """The lines of the history, but for the time."""
    rows = map(json.loads, (folder / "history.jsonl").read_text().splitlines())
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_it_learns(case, trained):
    (score,) = trained[1]["scores"]
    values = [row[score["name"]] for row in history(trained[0])]
    sign = 1 if score["higher_is_better"] else -1
    assert sign * values[0] < sign * values[-1]
    assert sign * score["value"] > sign * case.good


def test_the_loss_falls(case, trained, tmp_path):
    ready, losses = prepare.prepare(job(case, tmp_path / "model")), []
    for network in (*ready.model.networks, *prediction.load(trained[0], device="cpu").networks):
        with torch.no_grad():
            found, carry = [], None
            for batch in ready.data.epoch(0):
                found.append(network.eval()(ready.data.load(batch), carry))
                carry = found[-1].carry
        losses.append(float(sum(one.sum for one in found) / sum(one.weight for one in found)))
    assert losses[1] < losses[0] / 3


def test_preparing_twice_gives_the_same_and_changes_no_random_number(case, tmp_path):
    before = torch.get_rng_state()
    one, other = (prepare.prepare(job(case, tmp_path / name / "model")) for name in ("1", "2"))
    assert torch.equal(torch.get_rng_state(), before)
    for first, second in zip(one.model.networks[0].parameters(), other.model.networks[0].parameters(), strict=True):
        assert torch.equal(first, second)


def test_every_parameter_gets_a_gradient(case, tmp_path):
    ready = prepare.prepare(job(case, tmp_path / "model"))
    (network,) = ready.model.networks
    network(ready.data.load(ready.data.epoch(0)[0]), None).sum.backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize("step", [7, 60])
def test_a_stopped_run_goes_on_to_the_same_model(case, trained, tmp_path, step):
    folder, steps = tmp_path / "model", []
    with pytest.raises(errors.Stopped):
        train.train(
            job(case, folder),
            watch=lambda what, progress: steps.append(progress.step),
            stop=lambda: 15 if steps[-1] >= step else 0,
        )
    result = train.train(job(case, folder))
    assert (folder / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()
    assert result["scores"] == trained[1]["scores"]
    assert history(folder) == history(trained[0])


def test_a_loaded_model_scores_what_training_said(case, trained):
    model, source = prediction.load(trained[0], device="cpu"), job(case, trained[0]).train
    result, _ = evaluate.evaluate(model, str(trained[0]), source, case.task.Search(), buckets.Limits())
    assert result["scores"] == trained[1]["scores"]


def test_a_batch_predicts_what_its_members_predict_alone(case, trained):
    model = prediction.load(trained[0], device="cpu")
    together = model.predict([*case.lines, ""])
    assert together[-1] is None
    for line, found in zip(case.lines, together[:-1], strict=True):
        (alone,) = model.predict([line])
        assert alone.keys() == found.keys()
        for name, value in alone.items():
            assert found[name] == (value if isinstance(value, str | int) else pytest.approx(value, rel=1e-4))


def test_an_encoded_corpus_gives_the_same_model_byte_for_byte(case, trained, tmp_path):
    folder, made = tmp_path / "model", job(case, tmp_path / "model")
    encode.encode(case.task, made.train, made.config, tmp_path / "train")
    encode.encode(case.task, made.dev, made.config, tmp_path / "dev", codec_of=str(tmp_path / "train"))
    source, dev = (schema.Source((str(tmp_path / name),)) for name in ("train", "dev"))
    train.train(dataclasses.replace(made, train=source, dev=dev))
    assert (folder / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()


def test_by_default_the_steps_are_a_thousand_and_not_much_more(case, tmp_path):
    made = job(case, tmp_path / "model")
    ready = prepare.prepare(dataclasses.replace(made, training=dataclasses.replace(made.training, epochs=None)))
    assert 1000 <= ready.training.epochs * len(ready.data.epoch(0)) < 1100


def test_a_stream_of_a_packed_corpus_is_refused(tmp_path):
    with pytest.raises(errors.UsageError, match="in the order of the corpus"):
        stream_task.TASK.batches(None, stream_task.Config(), None, SMALL, buckets.Plan(((3,),), buckets.Limits()))
