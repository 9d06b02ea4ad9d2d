"""Growth: known labels keep their weights, new ones start fresh, and nothing else may differ."""

import pytest
import torch
from torch import nn

from seqnlp.nn import growth


class Small(nn.Module):
    def __init__(self, classes, size=3):
        super().__init__()
        self.body = nn.Linear(5, size)
        self.output = nn.Linear(size, classes)
        self.pairs = nn.Parameter(torch.randn(classes, classes))


def test_known_rows_and_columns_are_kept_and_new_ones_are_fresh():
    old, new = Small(2), Small(5)
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    growth.put(new, old.state_dict())
    assert torch.equal(new.body.weight, old.body.weight)
    for name in ("output.weight", "output.bias"):
        found = new.state_dict()[name]
        assert torch.equal(found[:2], old.state_dict()[name]) and torch.equal(found[2:], fresh[name][2:])
    assert torch.equal(new.pairs[:2, :2], old.pairs)
    assert torch.equal(new.pairs[2:], fresh["pairs"][2:]) and torch.equal(new.pairs[:2, 2:], fresh["pairs"][:2, 2:])


@pytest.mark.parametrize("old", [Small(6), Small(5, size=4), nn.Linear(2, 2)])
def test_a_network_of_another_kind_is_refused(old):
    with pytest.raises(RuntimeError):
        growth.put(Small(5), old.state_dict())
