#!/usr/bin/env bash
# Snips, the intent of a spoken request: test accuracy, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/snips_intents.sh
#
# The corpus: snips/{train,valid,test}/{seq.in,label}, line by line, from https://github.com/MiuLab/SlotGated-SLU
# (data/snips; Coucke et al. 2018, Goo et al. 2018). SEEDS="1" trains one model only.
set -euo pipefail
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"
corpus=${SEQNLP_CORPORA:?the folder that holds snips/}/snips
mkdir -p out

results=()
for seed in ${SEEDS:-1 2 3}; do
    model=out/snips-intents-$seed
    seqnlp classify train "$corpus"/train/{seq.in,label} --dev "$corpus/valid/seq.in" --dev "$corpus/valid/label" \
        -o "$model" --seed "$seed" >"$model.train.json"
    seqnlp classify eval "$model" "$corpus"/test/{seq.in,label} >"$model.json"
    results+=("$model.json")
done
python pipelines/table.py "${results[@]}"
