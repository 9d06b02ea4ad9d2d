"""seqnlp: raw text to a scored prediction with recurrent networks.

Next to nothing is imported here: the command comes by, and would show a traceback of a Ctrl-C before it can answer it.
"""

from __future__ import annotations

from seqnlp.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seqnlp import errors
    from seqnlp.workflows.predict import Model

__all__ = ["__version__", "errors", "load", "train"]


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Return the errors when they are asked for."""
    if name != "errors":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module("seqnlp.errors")


def load(folder: str, *, device: str = "auto", precision: str = "fp32") -> Model:
    """Return the trained model in `folder`, ready for `.predict([...])`.

    Raises `errors.ModelError` if the folder holds no model, or one that this version cannot read.
    """
    from seqnlp import errors
    from seqnlp.workflows import predict  # torch takes seconds to import: only who loads a model waits for it

    with errors.told():
        return predict.load(folder, device=device, precision=precision)


def train(task: str, corpus: Any, output: Any, **settings: Any) -> dict[str, Any]:
    """Return the result of training a model of `task` on a corpus into the folder `output`, as the command prints it.

    See `seqnlp.workflows.interface.train` for the settings, which are the command's options by name.
    """
    from seqnlp import errors
    from seqnlp.workflows import interface

    with errors.told():
        return interface.train(task, corpus, output, **settings)
