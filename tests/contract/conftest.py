"""A model for every task, trained once."""

import pytest
import torch
from task_cases import CASES

from seqnlp.workflows import predict as prediction
from seqnlp.workflows import train


@pytest.fixture(scope="session")
def cases():
    """All cases."""
    return CASES


@pytest.fixture(scope="session", params=CASES, ids=lambda case: case.name)
def case(request):
    """One case after the other."""
    return request.param


@pytest.fixture(scope="session")
def made():
    """What was trained already, by case: pytest goes back to a case in every file."""
    return {}


@pytest.fixture(scope="session")
def trained(case, made, tmp_path_factory):
    """The folder of the case's model, and the result of its training."""
    torch.set_num_threads(1)
    if case.name not in made:
        folder = tmp_path_factory.mktemp(case.name) / "model"
        made[case.name] = folder, train.train(case.job(folder))
    return made[case.name]


@pytest.fixture(scope="session")
def short(case, trained, made, tmp_path_factory):
    """The case as it is trained again, and that model's folder: the one to make byte for byte."""
    if case.again is None:
        return case, trained[0]
    case = case._replace(training=case.again)
    if (name := f"{case.name}-short") not in made:
        made[name] = tmp_path_factory.mktemp(name) / "model"
        train.train(case.job(made[name]))
    return case, made[name]


@pytest.fixture(scope="session")
def model(trained):
    """The case's model, loaded."""
    return prediction.load(trained[0], device="cpu")
