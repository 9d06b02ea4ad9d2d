"""Device and precision: what this machine can do, decided by capability alone.

A timed trial would make the model depend on what else the machine was doing. bf16 pays on CPUs with AMX or
avx512_bf16 and on GPUs; elsewhere it is emulated and far slower than fp32.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

import torch

from seqnlp import errors
from seqnlp.io import ranks

log = logging.getLogger(__name__)

BF16_UNITS = ("avx512_bf16", "amx_tile")  # what a processor computes in bf16 with


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; "auto" is CUDA where there is one, else the CPU.

    Raises `UsageError` for a device that is not there.
    """
    torch.backends.cudnn.allow_tf32 = False  # fp32 is to mean fp32
    cuda = f"cuda:{ranks.local_rank()}" if ranks.size() > 1 else "cuda"  # one for each process of a machine
    if name == "auto":
        return torch.device(cuda if torch.cuda.is_available() else "cpu")
    name = cuda if name == "cuda" else name
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise errors.UsageError(f"no device {name!r} here ({reason})", "--device cpu, cuda or cuda:1") from None
    return device


def resolve(name: str, device: torch.device) -> str:
    """Return "fp32" or "bf16"; "auto" is bf16 where the device computes in it."""
    if name not in ("auto", "fp32", "bf16"):
        raise errors.UsageError(f"no precision {name!r}", "auto, fp32 or bf16")
    if name == "auto":
        return "bf16" if _capable(device) and _works(device) else "fp32"
    if name == "bf16" and not _works(device):
        log.warning("bf16 does not work on %s: going on in fp32", device)
        return "fp32"
    return name


def _capable(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(_has(feature) for feature in BF16_UNITS)


def _has(feature: str) -> bool:
    """Whether the processor has a feature; a torch that does not list it may have a private function that tells."""
    listed: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(listed[feature] if feature in listed else getattr(torch.cpu, f"_is_{feature}_supported", bool)())


def _works(device: torch.device) -> bool:
    """Return whether a small LSTM runs forward and backward: some builds lack the primitive."""
    try:
        with torch.random.fork_rng(devices=[]), autocast(device, "bf16"):
            layer = torch.nn.LSTM(3, 5, batch_first=True).to(device)
            layer(torch.zeros(2, 7, 3, device=device))[0].sum().backward()
    except RuntimeError:
        return False
    return True


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Return the context in which matrix products run in `precision`; parameters stay fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
