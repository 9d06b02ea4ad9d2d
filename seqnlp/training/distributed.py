"""Several processes, on one machine or more, that make the steps of one run together: torchrun starts them.

The first process leads. It alone evaluates, plans, saves and logs, and it orders every step; the others follow: they
compute their rows of each batch and otherwise wait, for as long as it takes. So whatever the leader decides (to stop
early, to answer a signal, to give up) all processes agree on.

    leader       order step ...  gradients of its rows  |             evaluate, save, order step ...
    followers    wait            gradients of their rows | all-reduce  wait

A loss is a sum with a weight. Gradients of sums add up over rows: they are summed over all processes, in one flat
tensor with the losses, the weights and the signals, and divided once by the weight of the whole batch, so every process
takes the same step. DistributedDataParallel would do less with more: it takes the mean over processes, which is wrong
where their weights differ, and it does not see gradients that a network computes itself (`nn.adversarial`).
Of an embedding only the rows that were read have a gradient; these are gathered, not the whole table.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import distributed

from seqnlp import errors
from seqnlp.io import ranks
from seqnlp.nn import rows

PATIENCE = datetime.timedelta(days=30)  # that others wait for the first process: it may evaluate, or write, for long
STORES: Any = distributed  # torch gives no types of them
SIGNALS = (signal.SIGINT, signal.SIGTERM)
END, STEP, CARRY = range(3)  # what the leader orders: the end of the run, a step, what each carries along a stream

Tensors = Mapping[str, torch.Tensor]


class Order(NamedTuple):
    """What the leader orders, the number of the step, its learning rate, the share of the steps before it.

    At the end the value is the exit code of the run.
    """

    what: int
    step: int = 0
    value: float = 0.0
    share: float = 0.0


class Group:
    """The processes of a run, this one being number `rank` of `size`; alone, it has nobody to talk to."""

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.rank, self.size, self.device = rank, size, device or torch.device("cpu")
        self.stop: Callable[[], int] = lambda: 0  # tells the signal that this process was given
        self.signal = 0  # that some process was given, as the last step told

    @classmethod
    def join(cls, device: torch.device) -> Group:
        """Return the group that this process belongs to, when all of its processes are there."""
        if not distributed.is_initialized():
            backend = "gloo" if device.type == "cpu" else f"cpu:gloo,{device.type}:nccl"
            with _contact():
                store, rank, size = next(STORES.rendezvous("env://", timeout=PATIENCE))
                # Of processes that torchrun has started anew those before have left their addresses there.
                named = STORES.PrefixStore(ranks.attempt(), store)
                distributed.init_process_group(backend, store=named, rank=rank, world_size=size, timeout=PATIENCE)
        return cls(ranks.rank(), ranks.size(), device)

    def asked(self) -> int:
        """Return the signal that asked a process of the group to stop, or 0."""
        return self.signal or self.stop()

    @property
    def leads(self) -> bool:
        """Return whether this process is the first one."""
        return self.rank == 0

    def part(self, total: int) -> rows.Part:
        """Return the rows of a batch of `total` that are this process's."""
        return rows.Part.of(total, self.rank, self.size)

    # Messages of the leader.

    def order(self, what: int, step: int = 0, value: float = 0.0, share: float = 0.0) -> None:
        """Tell the others what is next."""
        if self.size > 1:
            self._broadcast(torch.tensor([what, step, value, share], dtype=torch.float64))

    def receive(self) -> Order:
        """Wait for the next order."""
        what, step, *values = self._broadcast(torch.zeros(len(Order._fields), dtype=torch.float64)).tolist()
        return Order(int(what), int(step), *values)

    def tell(self, content: Any = None) -> Any:
        """Return a value of JSON that the leader gives."""
        return json.loads(self._bytes(json.dumps(content).encode()))

    def spread(self, groups: Mapping[str, Tensors]) -> dict[str, dict[str, torch.Tensor]]:
        """Return named tensors in groups that the leader gives, on the CPU."""
        found: dict[str, dict[str, torch.Tensor]] = {}
        for name in self.tell(sorted(groups)):
            given = {key: tensor.detach().contiguous() for key, tensor in groups.get(name, {}).items()}
            found[name] = safetensors.torch.load(self._bytes(safetensors.torch.save(given)))
        return found

    @contextlib.contextmanager
    def led(self) -> Iterator[None]:
        """Lead a run inside the context; behind it the others are told how it has ended."""
        code = 0
        try:
            yield
        except BaseException as error:
            code = error.code if isinstance(error, errors.SeqnlpError) else 1
            raise
        finally:
            with contextlib.suppress(errors.SeqnlpError):  # they may be gone
                self.order(END, value=code)

    def _bytes(self, content: bytes) -> bytes:
        size = int(self._broadcast(torch.tensor([len(content)])))
        given = content if self.leads else bytes(size)
        whole = self._broadcast(torch.frombuffer(bytearray(given), dtype=torch.uint8)) if size else torch.zeros(0)
        return whole.numpy().tobytes()

    def _broadcast(self, tensor: torch.Tensor) -> torch.Tensor:
        with _contact():
            distributed.broadcast(tensor, 0)
        return tensor

    # What all compute together.

    def add_up(
        self, dense: Sequence[torch.nn.Parameter], sparse: Sequence[torch.nn.Parameter], sums: torch.Tensor
    ) -> torch.Tensor:
        """Add up the gradients of these parameters over all processes, in place, and return the sums (N,) added up."""
        if self.size == 1:
            return sums
        stop = self.stop()
        told = torch.tensor([float(stop == number) for number in SIGNALS], device=sums.device)
        has = torch.tensor([float(p.grad is not None) for p in (*dense, *sparse)], device=sums.device)
        own = [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in dense]
        flat = torch.cat([sums, told, has, *own])
        with _contact():
            distributed.all_reduce(flat)
        sizes = [len(sums), len(told), len(has), *(p.numel() for p in dense)]
        sums, told, has, *gradients = torch.split(flat, sizes)
        self.signal = self.signal or next((int(one) for one, n in zip(SIGNALS, told, strict=True) if n), 0)
        learnt = (has > 0).tolist()  # a parameter that no row has reached keeps no gradient, as it would alone
        for p, gradient, any_has in zip(dense, gradients, learnt, strict=False):
            p.grad = gradient.view_as(p) if any_has else None
        for p, any_has in zip(sparse, learnt[len(dense) :], strict=True):
            p.grad = self._joined(p) if any_has else None
        return sums

    def _joined(self, p: torch.nn.Parameter) -> torch.Tensor:
        """The sparse gradient of a table's rows, (R, D) of each process, added up."""
        own = p.grad.coalesce() if p.grad is not None else None
        indices = torch.zeros(0, dtype=torch.int64, device=p.device) if own is None else own.indices()[0]
        numbers, values = self._gathered(indices), self._gathered(p[:0].detach() if own is None else own.values())
        return torch.sparse_coo_tensor(numbers.unsqueeze(0), values, p.shape, check_invariants=False).coalesce()

    def _gathered(self, own: torch.Tensor) -> torch.Tensor:
        """The rows (N, ...) of all processes, one after the other; each may have another number of them."""
        with _contact():
            counts = [torch.zeros(1, dtype=torch.int64, device=own.device) for _ in range(self.size)]
            distributed.all_gather(counts, torch.tensor([len(own)], device=own.device))
            sizes = [int(count) for count in counts]
            padded = own.new_zeros(max(sizes), *own.shape[1:])
            padded[: len(own)] = own
            found = [torch.empty_like(padded) for _ in sizes]
            distributed.all_gather(found, padded)
        return torch.cat([part[:size] for part, size in zip(found, sizes, strict=True)])

    # What is carried along a stream: of each process the streams that are its own.

    def whole(self, carry: Tensors | None) -> dict[str, torch.Tensor] | None:
        """Return what all processes carry, (B, ...), to the leader, which asks for it."""
        if carry is None or self.size == 1:
            return None if carry is None else dict(carry)
        if self.leads:
            self.order(CARRY)
        return {name: self._gathered(carry[name].contiguous()) for name in sorted(carry)}

    def own(self, carry: Tensors) -> dict[str, torch.Tensor]:
        """Return this process's part of what all carry."""
        return {name: state[self.part(len(state)).rows] for name, state in carry.items()}


@contextlib.contextmanager
def _contact() -> Iterator[None]:
    """Turn what the network says of a process that is gone into an error for people."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if "out of memory" in str(error):
            raise
        reason = str(error).splitlines()[0] if str(error) else ""
        raise errors.SeqnlpError(
            f"lost contact with another process of this run ({reason})",
            "it says itself what went wrong; torchrun --max-restarts goes on from the last checkpoint",
        ) from error
