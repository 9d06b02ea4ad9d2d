"""Rolling origins: forecasts from one place of a series after the other, each made of what lies before it alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from seqnlp.tasks.forecast import baselines, prediction
from seqnlp.tasks.forecast.codec import Codec
from seqnlp.tasks.forecast.network import Batch, Forecaster
from seqnlp.training import data

WINDOWS, SERIES = 1024, 256  # that are looked at together


def origins(split: int, length: int, horizon: int, folds: int | None) -> np.ndarray:
    """Return the places from which the values behind the history are forecast, a horizon apart; the last `folds`."""
    every = np.arange(max(split, 1), length, horizon)
    return every if folds is None else every[-folds:]


def window(values: np.ndarray, origin: int, size: int) -> np.ndarray:
    """Return the values before an origin; before those of a shorter series stands its first one."""
    found = values[max(origin - size, 0) : origin]
    return found if len(found) == size else np.concatenate([np.full(size - len(found), values[0]), found])


def batch_of(windows: Sequence[tuple[Mapping[str, Any], int]], codec: Codec) -> Batch:
    """Return windows as tensors: rows, each with an origin."""
    past = np.stack([window(np.asarray(row["values"]), origin, codec.window) for row, origin in windows])
    ahead = np.stack([prediction.after(np.asarray(row["values"]), origin, codec.horizon) for row, origin in windows])
    future = np.stack([_covariates(row, origin, codec) for row, origin in windows])
    static = np.array([row["static"] for row, _ in windows], np.float32).reshape(len(windows), -1)
    return Batch(*map(torch.from_numpy, (past, ahead, future, static)))


def _covariates(row: Mapping[str, Any], origin: int, codec: Codec) -> np.ndarray:
    """The columns that are known ahead, (W + H, F); beyond the values that are known nothing is scored, nor asked."""
    width = len(codec.future.columns)
    if not width:
        return np.zeros((codec.window + codec.horizon, 0), np.float32)
    every = np.asarray(row["future"], np.float32).reshape(-1, width)
    places = np.clip(np.arange(origin - codec.window, origin + codec.horizon), 0, len(every) - 1)
    return every[places]


def forecasts(networks: Sequence[Forecaster], batch: Batch, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Return the forecasts of networks, averaged, and their spread, both (B, H).

    The spread is half of the distance between the quantiles; without quantiles the deviation of the window.
    """
    found = torch.stack([one.forecast(batch.to(device)) for one in networks]).mean(0).double().cpu().numpy()
    if found.shape[2] > 1:
        return found[:, :, 1], np.maximum(found[:, :, 2] - found[:, :, 0], 0) / 2
    past = batch.past.cpu().numpy()
    return found[:, :, 0], np.repeat(past.std(1, keepdims=True), found.shape[1], axis=1)


def at_the_end(
    networks: Sequence[Forecaster],
    codec: Codec,
    batch: Batch,
    rows: Sequence[Mapping[str, Any]],
    levels: Sequence[int],
) -> list[prediction.Prediction]:
    """Return what follows each row; a baseline is asked only where it was chosen."""
    values, spreads = forecasts(networks, batch, batch.past.device)
    method, found = baselines.METHODS[int(networks[0].method)], []
    for number, row in enumerate(rows):
        places, known, others = np.array([len(row["values"])]), np.asarray(row["values"]), {}
        if method != baselines.NETWORK:
            others = {method: baselines.BASELINES[method](known, places, codec.horizon, codec.season)}
        own = values[number : number + 1], spreads[number : number + 1]
        found.append(prediction.of(row, places, own, others, codec, networks[0], levels))
    return found


Origins = tuple[Mapping[str, Any], np.ndarray]  # a row and the places in it that are forecast from


def predictions(
    networks: Sequence[Forecaster],
    codec: Codec,
    rows: data.Rows,
    levels: Sequence[int],
    device: torch.device,
    watch: Callable[[float], None],
) -> list[prediction.Prediction]:
    """Return the forecasts of all series from every origin behind their history.

    The baselines' are made once, and kept as long as the rows are: they do not change while a network learns.
    """
    found: list[prediction.Prediction] = []
    known = _BASELINES.setdefault(rows, [])
    for part in _parts(rows, codec):
        windows = [(row, int(origin)) for row, places in part for origin in places]
        for (row, places), own in zip(part, _by_network(networks, windows, part, codec, device), strict=True):
            if len(known) == len(found):
                known.append(baselines.of(np.asarray(row["values"]), places, codec.horizon, codec.season))
            found.append(prediction.of(row, places, own, known[len(found)], codec, networks[0], levels))
        watch(len(found) / len(rows.lengths))
    return found


_BASELINES: weakref.WeakKeyDictionary[data.Rows, list[dict[str, np.ndarray]]] = weakref.WeakKeyDictionary()


def _parts(rows: data.Rows, codec: Codec) -> Iterator[list[Origins]]:
    """Some series at a time, each with its origins."""
    for begin in range(0, len(rows.lengths), SERIES):
        columns = dict(rows.columns(np.arange(begin, min(begin + SERIES, len(rows.lengths)))))
        columns["values"] = list(map(np.array, columns["values"]))
        series = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        yield [(row, origins(row["split"], len(row["values"]), codec.horizon, codec.folds)) for row in series]


def _by_network(
    networks: Sequence[Forecaster],
    windows: Sequence[tuple[Mapping[str, Any], int]],
    part: Sequence[Origins],
    codec: Codec,
    device: torch.device,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The networks' forecasts and their spread, of each series, both (F, H)."""
    empty = (np.zeros((0, codec.horizon)),) * 2
    made = [
        forecasts(networks, batch_of(windows[begin : begin + WINDOWS], codec), device)
        for begin in range(0, len(windows), WINDOWS)
    ]
    edges = np.cumsum([len(places) for _, places in part])[:-1]
    values, spreads = (np.split(np.concatenate(every), edges) for every in zip(empty, *made, strict=True))
    return list(zip(values, spreads, strict=True))
