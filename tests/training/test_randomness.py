"""What is drawn depends on seeds alone, and seeding changes nothing outside."""

import ast
from pathlib import Path

import torch

import seqnlp
from seqnlp.nn import rows
from seqnlp.training import randomness


def drawn():
    return torch.rand(3).tolist()


def first(seed):
    with randomness.first_weights(seed):
        return drawn()


def batch(seed, step, number):
    with torch.random.fork_rng(devices=[]):
        randomness.seed_batch(seed, step, number)
        return [*drawn(), *randomness.draw_seeds(3)]


def test_first_weights_are_those_of_their_seed():
    assert first(3) == first(3) != first(4)


def test_first_weights_leave_the_generator_as_it_was():
    before = torch.get_rng_state()
    first(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_draws_by_seed_step_and_number_alone():
    assert batch(1, 7, 0) == batch(1, 7, 0)
    assert len({str(batch(*one)) for one in ((1, 7, 0), (1, 8, 0), (2, 7, 0), (7, 1, 0), (1, 7, 1), (1, 0, 7))}) == 6


def test_every_row_has_a_seed_of_its_own_in_whatever_part_it_is():
    with torch.random.fork_rng(devices=[]):
        randomness.seed_batch(1, 1, 0)
        seeds = randomness.draw_seeds(20)
        randomness.seed_batch(1, 1, 0)
        with rows.only(rows.Part(5, 12, 20)):
            part = randomness.draw_seeds(7)
    assert len(set(seeds)) == 20 and all(0 <= seed < 2**31 for seed in seeds)
    assert part == seeds[5:12]


def test_nobody_else_seeds_the_global_generator():
    root, seeding = Path(seqnlp.__file__).parent, ("torch.manual_seed", "default_generator.manual_seed")
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(seeding)
    }
    assert found == {"training/randomness.py"}
