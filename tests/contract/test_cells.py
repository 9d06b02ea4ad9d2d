"""Every task with every cell: it is trained, saved, loaded, and predicts."""

import dataclasses

import pytest

from seqnlp.nn import cells
from seqnlp.tasks import network_options
from seqnlp.workflows import predict as prediction
from seqnlp.workflows import train

TASKS = ["classify", "tag", "translate", "summarize", "lm", "forecast"]
# Of each kind of cell one; lstm is what the other tests have. The decoder of translate is tried with all three, every
# other task with one of them, and with the slow tests each task with each cell.
QUICK = {("translate", cell) for cell in ("gru", "clockwork", "ssru")}
QUICK |= {("classify", "gru"), ("tag", "clockwork"), ("summarize", "ssru"), ("lm", "clockwork"), ("forecast", "ssru")}
PAIRS = [
    pytest.param(task, cell, marks=[] if (task, cell) in QUICK else pytest.mark.slow)
    for cell in network_options.CELLS
    if cell != "lstm"
    for task in TASKS
]


def test_the_options_name_the_cells_there_are():
    assert set(network_options.CELLS) == set(cells.CELLS)


@pytest.mark.parametrize(("name", "cell"), PAIRS)
def test_a_task_with_another_cell_is_trained_and_predicts(cases, name, cell, tmp_path):
    case = next(case for case in cases if case.task == name)
    training = dataclasses.replace(case.training, epochs=2, eval_every=None)
    case = case._replace(config={**case.config, "cell": cell}, training=training)
    train.train(case.job(tmp_path / "model"))
    model = prediction.load(tmp_path / "model", device="cpu")
    assert model.config.cell == cell
    assert [found is None for found in model.predict(case.inputs)] == [not text.strip() for text in case.inputs]
    parts = cells.CELLS[cell].parts
    (network,) = model.networks
    assert getattr(network, "encoder", network).layers[0].parts == parts


def test_every_registered_task_is_tried_with_other_cells(cases):
    assert {case.task for case in cases} == set(TASKS)


@pytest.mark.parametrize("name", ["classify", "tag", "translate"])
def test_a_task_reads_forward_with_connections_and_self_attention(cases, name, tmp_path):
    case = next(case for case in cases if case.task == name)
    options = {"cell": "mingru", "direction": "forward", "residual": True, "layer_norm": True, "layers": 2}
    config = {**case.config, **options, "self_attention": 1}
    training = dataclasses.replace(case.training, epochs=2, eval_every=None)
    train.train(case._replace(config=config, training=training).job(tmp_path / "model"))
    model = prediction.load(tmp_path / "model", device="cpu")
    encoder = model.networks[0].encoder
    assert encoder.outputs == model.config.hidden_size
    assert encoder.attention.causal
    assert [found is None for found in model.predict(case.inputs)] == [not text.strip() for text in case.inputs]
