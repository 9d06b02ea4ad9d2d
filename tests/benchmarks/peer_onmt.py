"""Speed of OpenNMT-py's recurrent translator, as one line of JSON; run by the python of an environment with 3.5.1.

    PYTHON tests/benchmarks/peer_onmt.py TRAIN.source TRAIN.target TEST.source [--hidden-size 512] [--embedding 512]
        [--batch-tokens 2048] [--reports 5] [--rounds 5] [--threads 2] [--save MODEL.pt] [--model MODEL.pt]

Files in pieces separated by spaces, a sentence a line; the vocabulary is all pieces of the training files. Network: a
bidirectional LSTM, an LSTM decoder with input feeding and global attention, a layer each; Adam, OpenNMT-py's other
settings. Training: target tokens a second as its log reports them every 10 steps, the median of the reports after the
first. Translating: seconds for the test file, with beams of 5 and 1, loading left out, medians of the rounds.

How long a translation takes depends on how long the translations are, so for a figure that means something --model
names a model that has been trained to the end (one that --save wrote after many --reports, or that onmt_train wrote);
without it the model of the few steps translates. The pieces that came out are counted.
"""

from __future__ import annotations

import argparse
import collections
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as seqnlp does; by default waiting threads spin
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # its checkpoints hold pickled options

EVERY = 10  # steps from one report to the next
SPEED = re.compile(r"([\d.]+)/ *([\d.]+) tok/s")


def write_data(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Write text and vocabularies to a folder and return the part of the configuration that names them."""
    names = {}
    for side in ("src", "tgt"):
        lines = [
            line.split() for line in Path(getattr(given, side)).read_text(encoding="utf-8").strip("\n").split("\n")
        ]
        names[side] = str(folder / side)
        Path(names[side]).write_text("".join(" ".join(line) + "\n" for line in lines), encoding="utf-8")
        counts = collections.Counter(piece for line in lines for piece in line)
        vocabulary = "".join(f"{piece}\t{count}\n" for piece, count in counts.most_common())
        Path(f"{names[side]}.vocab").write_text(vocabulary, encoding="utf-8")
    return {
        "data": {"corpus": {"path_src": names["src"], "path_tgt": names["tgt"], "weight": 1, "transforms": []}},
        "src_vocab": f"{names['src']}.vocab",
        "tgt_vocab": f"{names['tgt']}.vocab",
    }


def settings(given: argparse.Namespace) -> dict[str, Any]:
    """Return the part of the configuration that makes the model and its training."""
    steps = EVERY * (given.reports + 1)
    network = {"encoder_type": "brnn", "decoder_type": "rnn", "rnn_type": "LSTM", "input_feed": 1, "layers": 1}
    sizes = {"hidden_size": given.hidden, "word_vec_size": given.embedding}
    batches = {"batch_type": "tokens", "batch_size": given.batch_tokens, "normalization": "tokens"}
    optimizer = {"optim": "adam", "learning_rate": 0.001, "dropout": 0.3}
    length = {"train_steps": steps, "save_checkpoint_steps": steps, "report_every": EVERY, "bucket_size": 32768}
    return {**network, **sizes, **batches, **optimizer, **length, "seed": 1}


def train(given: argparse.Namespace, folder: Path) -> list[float]:
    """Train, put the model where `given.model` says, and return the speed of each report after the first."""
    config = folder / "config.json"  # JSON is YAML too
    prefix = str(folder / "model")
    config.write_text(json.dumps({**write_data(given, folder), **settings(given), "save_model": prefix}))
    log = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "onmt.bin.train", "-config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if log.returncode:
        sys.exit(log.stdout)
    os.replace(next(folder.glob("model_step_*.pt")), given.model)
    return [float(target) for _, target in SPEED.findall(log.stdout)][1:]


def translator(given: argparse.Namespace, beam: int, output: str) -> Any:
    """Return OpenNMT-py's engine with its model loaded."""
    from onmt.bin.translate import _get_parser
    from onmt.inference_engine import InferenceEnginePY
    from onmt.utils.parse import ArgumentParser

    options = ["-model", given.model, "-src", given.test, "-output", output, "-beam_size", str(beam)]
    chosen = _get_parser().parse_args([*options, "-batch_size", str(given.batch_size), "-log_file", os.devnull])
    ArgumentParser.validate_translate_opts(chosen)
    ArgumentParser._get_all_transform_translate(chosen)
    ArgumentParser._validate_transforms_opts(chosen)
    ArgumentParser.validate_translate_opts_dynamic(chosen)
    return InferenceEnginePY(chosen)


def translate(given: argparse.Namespace, beam: int, output: str) -> tuple[float, int]:
    """Return the median seconds of translating the test file and the number of pieces of the translation."""
    engine = translator(given, beam, output)
    spent = []
    for _ in range(given.rounds + 1):
        begin = time.perf_counter()
        _, translations = engine.infer_file()
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent[1:]), sum(len(best[0].split()) for best in translations)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("src")
    parser.add_argument("tgt")
    parser.add_argument("test")
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--embedding", type=int, default=512)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--batch-size", type=int, default=30, help="sentences that are translated together")
    parser.add_argument("--reports", type=int, default=5, help="of 10 steps each, measured")
    parser.add_argument("--rounds", type=int, default=5, help="of translating")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", help="do not train, translate with this model")
    parser.add_argument("--save", help="where to put the trained model")
    return parser.parse_args()


def main() -> None:
    """Measure, and print one line of JSON."""
    given = arguments()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)  # torch, which reads it, is imported later
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    found: dict[str, Any] = {"tool": "OpenNMT-py", "version": metadata.version("OpenNMT-py")}
    with tempfile.TemporaryDirectory() as name:
        if not given.model:
            given.model = given.save or str(Path(name, "model.pt"))
            found["train_target_tokens_per_second"] = statistics.median(train(given, Path(name)))
        for beam in (5, 1):
            seconds, pieces = translate(given, beam, str(Path(name, "translation")))
            found |= {f"beam{beam}_seconds": round(seconds, 2), f"beam{beam}_pieces": pieces}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
