#!/usr/bin/env bash
# Every task on a GPU, in fp32 and bf16, beside the CPU in fp32: the mean loss of each evaluation, and milliseconds a step.
#
#     bash tests/benchmarks/gpu.sh
#
# The corpora are those of data/. Losses in fp32 agree to some digits (dropout draws other numbers on a GPU, so they are
# compared without it); those of bf16 to about two.
. "$(dirname -- "$0")/../../pipelines/env.sh"
cd -- "$seqnlp_root"
if ! python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "no GPU here: nothing is measured"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
no_dropout=(--dropout 0 --epochs 2 --learning-rate 0.001 -q)
declare -A rest=(
    [classify]="data/reviews/train.tsv --dev data/reviews/dev.tsv --word-dropout 0 --adversarial 0"
    [tag]="data/tags/train.conll --dev data/tags/dev.conll --word-dropout 0"
    [translate]="data/numbers/train.en data/numbers/train.de --dev data/numbers/dev.en --dev data/numbers/dev.de"
    [summarize]="data/headlines/train.tsv --dev data/headlines/dev.tsv"
    [lm]="data/corpus.txt --embedding-dropout 0 --weight-dropout 0"
    [forecast]="data/series/daily.csv"
)
for task in "${!rest[@]}"; do
    for way in cpu-fp32 cuda-fp32 cuda-bf16; do
        read -ra given <<<"${rest[$task]}"
        seqnlp "$task" train "${given[@]}" "${no_dropout[@]}" --device "${way%-*}" --precision "${way#*-}" \
            -o "$out/$task/$way" >/dev/null
    done
    python - "$out/$task" <<'END'
import json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
for way in ("cpu-fp32", "cuda-fp32", "cuda-bf16"):
    rows = [json.loads(line) for line in (folder / way / "history.jsonl").read_text().splitlines()]
    steps, seconds = rows[-1]["step"] - rows[0]["step"], rows[-1]["seconds"] - rows[0]["seconds"]
    losses = " ".join(f"{row['loss']:.4f}" for row in rows)
    print(f"{folder.name:10} {way:10} losses {losses}  {1000 * seconds / max(steps, 1):.1f} ms a step, evaluation included")
END
done
