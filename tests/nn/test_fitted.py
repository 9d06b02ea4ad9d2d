"""What is fitted by itself: tensors of the size that comes, refused where they do not fit together."""

import pytest
import torch

from seqnlp.nn import fitted


def made():
    return fitted.Fitted(
        {"keys": torch.zeros(0, dtype=torch.int32), "weight": torch.zeros(0, 3), "bias": torch.zeros(3)}
    )


def tensors(size=5):
    return {"keys": torch.arange(size, dtype=torch.int32), "weight": torch.rand(size, 3), "bias": torch.rand(3)}


@pytest.mark.parametrize("size", [0, 1, 5])
def test_tensors_of_any_size_are_taken_saved_and_loaded(size):
    one, other, given = made(), made(), tensors(size)
    one.put(given)
    other.load_state_dict(one.state_dict())
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in given.items())
    assert not list(one.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": torch.arange(5)},
        {"keys": torch.arange(4, dtype=torch.int32)},
        {"weight": torch.rand(5, 2)},
        {"weight": torch.rand(5)},
        {"bias": torch.rand(4)},
    ],
    ids=["type", "size", "columns", "dimensions", "bias"],
)
def test_what_does_not_fit_together_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}|weight has another"):
        made().put({**tensors(), **wrong})
