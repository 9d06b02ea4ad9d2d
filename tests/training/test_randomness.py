"""What is drawn depends on seeds alone, and seeding changes nothing outside."""

import ast
from pathlib import Path

import torch

import seqnlp
from seqnlp.training import randomness


def drawn():
    return torch.rand(3).tolist()


def first(seed):
    with randomness.first_weights(seed):
        return drawn()


def step(seed, number):
    with torch.random.fork_rng(devices=[]):
        randomness.seed_step(seed, number)
        return [*drawn(), randomness.draw_seed()]


def test_first_weights_are_those_of_their_seed():
    assert first(3) == first(3) != first(4)


def test_first_weights_leave_the_generator_as_it_was():
    before = torch.get_rng_state()
    first(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_draws_by_seed_and_number_alone():
    assert step(1, 7) == step(1, 7)
    assert len({str(step(*pair)) for pair in ((1, 7), (1, 8), (2, 7), (7, 1))}) == 4


def test_seeds_are_drawn_one_after_the_other():
    with torch.random.fork_rng(devices=[]):
        randomness.seed_step(1, 1)
        seeds = [randomness.draw_seed() for _ in range(20)]
    assert len(set(seeds)) == 20 and all(0 <= seed < 2**31 for seed in seeds)


def test_nobody_else_seeds_the_global_generator():
    root, seeding = Path(seqnlp.__file__).parent, ("torch.manual_seed", "default_generator.manual_seed")
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(seeding)
    }
    assert found == {"training/randomness.py"}
