"""Device and precision: decided by what the machine can do, with errors for what is not there."""

import pytest
import torch

from seqnlp import errors
from seqnlp.training import precision

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    for there, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert precision.resolve_device("auto").type == kind


@pytest.mark.parametrize("name", ["cuda:77", "tpu", "nonsense", ""])
def test_a_device_that_is_not_there_is_told(name):
    with pytest.raises(errors.UsageError) as error:
        precision.resolve_device(name)
    assert error.value.message.startswith(f"no device {name!r} here (")
    assert "\n" not in error.value.message
    assert error.value.hint == "--device cpu, cuda or cuda:1"


@pytest.mark.parametrize(("capable", "works", "chosen"), [(1, 1, "bf16"), (1, 0, "fp32"), (0, 1, "fp32")])
def test_auto_is_bf16_where_the_machine_computes_in_it(monkeypatch, capable, works, chosen):
    monkeypatch.setattr(precision, "_capable", lambda device: bool(capable))
    monkeypatch.setattr(precision, "_works", lambda device: bool(works))
    assert precision.resolve("auto", CPU) == chosen


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("features", "capable"), [((), False), (("avx512_bf16",), True), (("amx_tile",), True), (("avx2",), False)]
)
def test_a_processor_is_capable_by_its_features(monkeypatch, features, capable, listed):
    """An older torch cannot list them, but has a private function for each one; a newer one may have lost those."""
    functions = {f"_is_{name}_supported": name in features for name in precision.BF16_UNITS}
    for name, there in functions.items():
        monkeypatch.delattr(torch.cpu, name, raising=False)
        if not listed:
            monkeypatch.setattr(torch.cpu, name, lambda there=there: there, raising=False)
    if listed:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(features, True), raising=False)
    else:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision._capable(CPU) is capable


def test_a_torch_that_tells_nothing_of_the_processor_computes_in_fp32(monkeypatch):
    for name in ("get_capabilities", *(f"_is_{feature}_supported" for feature in precision.BF16_UNITS)):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert precision.resolve("auto", CPU) == "fp32"


def test_bf16_that_does_not_work_falls_back_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr(precision, "_works", lambda device: False)
    assert precision.resolve("bf16", CPU) == "fp32"
    assert "bf16 does not work on cpu: going on in fp32" in caplog.text


def test_fp32_is_fp32():
    assert precision.resolve("fp32", CPU) == "fp32"


def test_trying_bf16_draws_no_random_number():
    torch.manual_seed(0)
    precision._works(CPU)
    drawn = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(3), drawn)


@pytest.mark.parametrize(("name", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_matrix_products_run_in_the_precision(name, dtype):
    with precision.autocast(CPU, name):
        assert (torch.ones(3, 5) @ torch.ones(5, 7)).dtype == dtype
