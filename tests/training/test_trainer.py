"""The training loop over a toy network: it learns, is evaluated, keeps the best weights, and ends when it should."""

import math
from dataclasses import replace

import pytest
import torch
import toy

from seqnlp import errors
from seqnlp.training import checkpoint, trainer


def test_it_learns(tmp_path):
    assert toy.trained(tmp_path, replace(toy.OPTIONS, epochs=25)).progress.best > 95


def test_it_takes_all_its_steps(tmp_path):
    progress = toy.trained(tmp_path).progress
    assert (progress.step, progress.total) == (24, 24)


def test_the_network_is_told_the_share_of_the_steps_before_each_and_so_after_a_stop(tmp_path):
    shares = []

    class Told(toy.Toy):
        share = 0.0

        def forward(self, batch, carry=None):
            shares.append(self.share)
            return super().forward(batch, carry)

    toy.stopped(tmp_path, 7, network=Told())
    toy.trained(tmp_path, network=Told())
    assert shares == [step / 24 for step in range(24)]


def test_it_is_evaluated_when_due_and_at_the_end(tmp_path):
    rows = toy.trained(tmp_path).progress.history
    assert [row["step"] for row in rows] == [5, 10, 15, 20, 24]
    assert rows[-1]["epoch"] == 4


def test_the_history_holds_the_mean_loss_and_the_mean_norm_of_the_gradient_since_the_evaluation_before(tmp_path):
    losses, norms = [], []

    class Watched(toy.Toy):
        def forward(self, batch, carry=None):
            found = super().forward(batch, carry)
            losses.append(float(found.sum.detach()) / float(found.weight))
            return found

    made = toy.make_trainer(tmp_path, network=Watched())
    scale = made.optimizer.scale
    made.optimizer.scale = lambda weight: norms.append(scale(weight)) or norms[-1]
    rows = made.run().history
    for row, start, end in zip(rows, (0, 5, 10, 15, 20), (5, 10, 15, 20, 24), strict=True):
        assert row["loss"] == pytest.approx(sum(losses[start:end]) / (end - start), abs=1e-4)
        assert row["gradient_norm"] == pytest.approx(sum(norms[start:end]) / (end - start), abs=1e-4)


def test_by_default_it_is_evaluated_once_an_epoch(tmp_path):
    rows = toy.trained(tmp_path, replace(toy.OPTIONS, eval_every=None)).progress.history
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_the_best_weights_are_kept(tmp_path):
    seen = []

    def evaluate(network):
        seen.append({name: parameter.detach().clone() for name, parameter in network.named_parameters()})
        return trainer.Evaluation([10.0, 30.0, 20.0, 25.0, 5.0][len(seen) - 1], {})

    made = toy.trained(tmp_path, evaluate=evaluate)
    assert (made.progress.best, made.progress.best_step) == (30.0, 10)
    assert [row["best"] for row in made.progress.history] == [True, True, False, False, False]
    toy.equal(made.best, seen[1])


def test_where_less_is_better_the_weights_of_the_lowest_value_are_kept(tmp_path):
    left = [30.0, 10.0, 20.0, 10.0, 12.0]

    def evaluate(network):
        return trainer.Evaluation(left.pop(0), {}, higher_is_better=False)

    made = toy.trained(tmp_path, replace(toy.OPTIONS, schedule="plateau"), evaluate=evaluate)
    assert (made.progress.best, made.progress.best_step) == (10.0, 20)  # of equals the later
    assert [row["best"] for row in made.progress.history] == [True, True, False, True, False]
    assert made.progress.scale == 0.25 and made.progress.bad_evaluations == 3


def test_the_network_is_evaluated_without_dropout_and_trained_with_it(tmp_path):
    modes = []

    class Watched(toy.Toy):
        def forward(self, batch, carry=None):
            modes.append(self.training)
            return super().forward(batch, carry)

    def evaluate(network):
        assert not network.training
        return trainer.Evaluation(0.0, {})

    toy.trained(tmp_path, network=Watched(), evaluate=evaluate)
    assert len(modes) == 24
    assert all(modes)


def test_it_tells_what_happens(tmp_path):
    events = []
    toy.trained(
        tmp_path, replace(toy.OPTIONS, epochs=1), watch=lambda what, progress: events.append((what, progress.step))
    )
    assert events == [
        ("start", 0),
        *[("step", step) for step in (1, 2, 3, 4, 5)],
        ("evaluating", 5),
        ("evaluation", 5),
        ("step", 6),
        ("evaluating", 6),
        ("evaluation", 6),
    ]


def test_the_same_seed_gives_the_same_weights(tmp_path):
    toy.equal(toy.weights(toy.trained(tmp_path / "1")), toy.weights(toy.trained(tmp_path / "2")))


def test_another_seed_gives_other_weights(tmp_path):
    one, other = (toy.weights(toy.trained(tmp_path / str(seed), replace(toy.OPTIONS, seed=seed))) for seed in (1, 2))
    assert not torch.equal(one["output.weight"], other["output.weight"])


def test_every_step_draws_other_random_numbers_and_the_same_ones_in_every_run(tmp_path):
    drawn = []

    class Drawing(toy.Toy):
        def forward(self, batch, carry=None):
            drawn.append(float(torch.rand(1)))
            return super().forward(batch, carry)

    for run in ("1", "2"):
        toy.trained(tmp_path / run, network=Drawing())
    assert drawn[:24] == drawn[24:]
    assert len(set(drawn)) == 24


@pytest.mark.parametrize("parts", [2, 3])
def test_accumulated_parts_of_a_batch_make_the_step_of_the_whole(tmp_path, parts):
    whole = toy.trained(tmp_path / "1", network=toy.Toy(dropout=0))
    options = replace(toy.OPTIONS, grad_accumulation=parts)
    cut = toy.trained(tmp_path / "2", options, network=toy.Toy(dropout=0), data=toy.Data(parts=parts))
    assert cut.progress.step == whole.progress.step
    torch.testing.assert_close(toy.weights(cut), toy.weights(whole), atol=1e-6, rtol=0)


def test_uneven_parts_count_by_their_rows(tmp_path):
    whole = toy.trained(tmp_path / "1", network=toy.Toy(dropout=0))
    options = replace(toy.OPTIONS, grad_accumulation=4)
    cut = toy.trained(tmp_path / "2", options, network=toy.Toy(dropout=0), data=toy.Data(parts=4))  # 2, 2, 1 and 1 rows
    torch.testing.assert_close(toy.weights(cut), toy.weights(whole), atol=1e-6, rtol=0)


def test_the_last_step_of_an_epoch_may_have_fewer_batches(tmp_path):
    made = toy.trained(tmp_path, replace(toy.OPTIONS, grad_accumulation=4))  # of six batches
    assert (made.per_epoch, made.progress.step) == (2, 8)


# early stopping


def test_patience_counts_evaluations_that_are_no_better(tmp_path):
    options = replace(toy.OPTIONS, eval_every=2, patience=3)
    made = toy.trained(tmp_path, options, evaluate=toy.scripted(10.0, 30.0, 20.0, 30.0, 29.0, 99.0))
    assert made.progress.step == 10
    assert made.progress.best == 30.0


def test_patience_begins_anew_after_a_better_one(tmp_path):
    options = replace(toy.OPTIONS, eval_every=2, patience=2)
    made = toy.trained(tmp_path, options, evaluate=toy.scripted(10.0, 5.0, 11.0, 5.0, 12.0, 5.0, 4.0, 99.0))
    assert made.progress.step == 14


def test_no_patience_goes_on_to_the_end(tmp_path):
    assert toy.trained(tmp_path, evaluate=toy.scripted(10.0, 5.0)).progress.step == 24


def test_a_run_that_patience_ended_is_at_its_end(tmp_path):
    options = replace(toy.OPTIONS, eval_every=2, patience=1)
    toy.trained(tmp_path, options, evaluate=toy.scripted(10.0, 5.0))
    assert toy.trained(tmp_path, options, evaluate=toy.scripted(99.0)).progress.step == 4


# divergence


class Diverging(toy.Toy):
    """Gives a loss that is no number at one step."""

    def __init__(self, step, value=math.nan):
        super().__init__()
        self.left, self.value = step, value

    def forward(self, batch, carry=None):
        found = super().forward(batch, carry)
        self.left -= 1
        return found if self.left else found._replace(sum=found.sum * self.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run_with_its_step(tmp_path, value):
    with pytest.raises(errors.SeqnlpError) as error:
        toy.trained(tmp_path, network=Diverging(8, value))
    assert error.value.message == "the loss is no longer finite at step 8; the best weights (step 5) are kept"
    assert "a lower --learning-rate" in error.value.hint
    assert error.value.code == 1


def test_the_weights_before_the_divergence_are_kept(tmp_path):
    made = toy.make_trainer(tmp_path, network=Diverging(8))
    with pytest.raises(errors.SeqnlpError):
        made.run()
    groups, state = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    assert state["step"] == 5
    assert all(tensor.isfinite().all() for tensor in groups["best"].values())
    assert all(tensor.isfinite().all() for tensor in toy.weights(made).values())


def test_a_divergence_before_the_first_evaluation(tmp_path):
    with pytest.raises(errors.SeqnlpError, match="no longer finite at step 2; nothing was learnt yet"):
        toy.trained(tmp_path, network=Diverging(2))


# Where memory is not enough.


class Small(toy.Data):
    """Fails for batches of more than `most` rows: at once, or when half of the gradient is there."""

    most = 2

    def load(self, batch):
        if len(batch) > self.most:
            raise self.error
        return super().load(batch)


ERRORS = [MemoryError(), RuntimeError("CUDA out of memory. Tried to"), RuntimeError("can't allocate memory: you tried")]


@pytest.mark.parametrize("kind", [toy.Toy, toy.Remembering])
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("error", ERRORS)
def test_a_batch_that_does_not_fit_is_done_in_parts_with_the_same_result_and_that_is_said_once(
    tmp_path, caplog, error, accumulate, kind
):
    options = replace(toy.OPTIONS, epochs=2, grad_accumulation=accumulate)
    whole = toy.trained(tmp_path / "whole", options, network=kind(dropout=0.0))
    Small.error = error
    parted = toy.trained(tmp_path / "parts", options, network=kind(dropout=0.0), data=Small())
    torch.testing.assert_close(toy.weights(parted), toy.weights(whole))
    assert parted.progress.step == whole.progress.step
    assert caplog.messages == ["step 1: not enough memory for a batch: its parts are done one by one"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("something else")])
def test_what_parts_do_not_mend_is_an_error(tmp_path, error):
    Small.error, data = error, Small()
    data.most = 0
    with pytest.raises(type(error)):
        toy.trained(tmp_path, data=data)
