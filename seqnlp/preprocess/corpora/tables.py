"""Tables: parquet files and data sets of the Hugging Face hub, as rows of named values.

Both say what their columns mean in the same way; the integers of a class label become its names.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, cast

from seqnlp import errors
from seqnlp.io import files

HUB = "hf:"
ENCODED = "encoded.json"  # is in every folder that `encode` and `pack` make
Decode = Callable[[Any], Any]
ROWS = 1000  # that are decoded at once
PATIENCE = 5  # seconds to wait for the hub


def parquet(path: str, name: str, digest: files.Digest | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a parquet file; raises `DataError` with its name where it is none.

    digest: is fed the bytes of the file.
    """
    import pyarrow
    from pyarrow import parquet as tables

    with _seekable(path, digest) as file:
        try:
            table = tables.ParquetFile(file)
            decode = decoder(_noted(table.schema_arrow.metadata or {}))
            for batch in table.iter_batches(ROWS):
                yield from map(decode, batch.to_pylist())
        except (pyarrow.ArrowException, OSError) as error:
            raise errors.DataError(f"{name}: not a parquet file, or damaged ({_first_line(error)})") from None


def _seekable(path: str, digest: files.Digest | None) -> BinaryIO:
    """Return a file, or a copy of stdin or a pipe: what a parquet file holds is told at its end."""
    file = files.open_raw(path)
    if not file.seekable():
        with file as pipe:
            file = cast(BinaryIO, tempfile.TemporaryFile(prefix="seqnlp-"))  # noqa: SIM115 (who reads closes)
            shutil.copyfileobj(pipe, file)
    if digest is not None:
        file.seek(0)
        while block := file.read(files.BLOCK):
            digest.update(block)
    file.seek(0)
    return file


def _noted(metadata: Mapping[bytes, bytes]) -> Any:
    """Return what `datasets` has noted of the columns, nothing where it has not."""
    try:
        return json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}


def hub(path: str, name: str, digest: files.Digest | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of `hf:NAME[+CONFIG][:SPLIT]`; its hash is its `fingerprint`."""
    table = _load(path)
    decode = decoder(table.features.to_dict())
    for batch in table.with_format("arrow").iter(ROWS):
        yield from map(decode, batch.to_pylist())


def is_saved(path: str) -> bool:
    """Return whether a path is a folder that `datasets` has saved, of one split or several, and none of `encode`."""
    there = [os.path.isfile(os.path.join(path, name)) for name in (ENCODED, "state.json", "dataset_dict.json")]
    return any(there) and not there[0]


def saved(path: str, name: str, digest: files.Digest | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder that `save_to_disk` made; its hash is its `fingerprint`."""
    return hub(path, name, digest)


def fingerprint(path: str) -> str:
    """Return what tells one state of a data set of the hub, or of a saved one, from another."""
    return str(_load(path)._fingerprint)


@functools.cache
def _load(path: str) -> Any:
    """Return the `datasets.Dataset` that a path names; raises `DataError` in one line, whatever went wrong."""
    import datasets

    if not path.startswith(HUB):
        return _from_disk(path)
    match = re.fullmatch(r"([^+:]+)(?:\+([^:]+))?(?::(.+))?", path.removeprefix(HUB))
    if match is None:
        raise errors.UsageError(f"{path}: not a data set of the hub", "hf:NAME, hf:NAME+CONFIG, hf:NAME+CONFIG:SPLIT")
    name, config, split = match.groups()
    if not os.path.isdir(name):
        _look_for_hub()
    try:
        with _quiet():
            return datasets.load_dataset(name, config, split=split or "train")
    except Exception as error:  # dozens of kinds, of several packages
        hint = "no network? NAME may also be a folder; CONFIG and SPLIT must be ones that the data set has"
        raise errors.DataError(f"{path}: cannot be loaded ({_first_line(error)})", hint) from None


def _from_disk(path: str) -> Any:
    import datasets

    try:
        with _quiet():
            found = datasets.load_from_disk(path)
    except Exception as error:  # as above
        raise errors.DataError(f"{path}: cannot be loaded ({_first_line(error)})", "save it again") from None
    if isinstance(found, datasets.DatasetDict):
        hint = f"name the folder of one, for example {os.path.join(path, min(found, default=''))}"
        raise errors.DataError(f"{path}: holds several splits ({', '.join(found)})", hint)
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let others say nothing on stderr: their bars, and their logs of what they raise anyway."""
    import datasets

    shown, below = datasets.is_progress_bar_enabled(), logging.root.manager.disable
    datasets.disable_progress_bars()
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(below)
        if shown:
            datasets.enable_progress_bars()


def _look_for_hub() -> None:
    """Take what was loaded before where the hub cannot be reached: it would be asked again for half a minute."""
    import socket
    import urllib.parse
    import urllib.request

    import datasets
    from huggingface_hub import constants

    if urllib.request.getproxies():  # which may reach it
        return
    try:
        address = urllib.parse.urlsplit(constants.ENDPOINT)
        socket.create_connection((address.hostname or "", address.port or 443), timeout=PATIENCE).close()
    except OSError:
        constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__


def decoder(features: Any) -> Decode:
    """Return the function that puts names for class labels in a value; features: as `datasets` notes them."""
    if isinstance(features, list) and features:  # as it was written once
        return _each(features[0])
    if not isinstance(features, dict):
        return _same
    kind = features.get("_type")
    if kind == "ClassLabel":
        return _names(features["names"]) if features.get("names") else _same
    if kind in ("Sequence", "List", "LargeList"):
        return _each(features.get("feature"))
    if isinstance(kind, str):
        return _same
    parts = {name: decoder(part) for name, part in features.items()}
    changed = {name: part for name, part in parts.items() if part is not _same}
    return _fields(changed) if changed else _same


def _same(value: Any) -> Any:
    return value


def _each(features: Any) -> Decode:
    """Return the function for a list; one of objects may be held as an object of lists."""
    decode = decoder(features)
    if decode is _same:
        return _same

    def each(values: Any) -> Any:
        if isinstance(values, dict):
            return decoder({name: [part] for name, part in features.items()})(values)
        return values and list(map(decode, values))

    return each


def _fields(decoders: dict[str, Decode]) -> Decode:
    def decode(value: Any) -> Any:
        return value and {**value, **{name: part(value[name]) for name, part in decoders.items() if name in value}}

    return decode


def _names(names: Iterable[str]) -> Decode:
    known = dict(enumerate(names))  # -1 stands for none
    return lambda number: known.get(number) if isinstance(number, int) else number
