#!/usr/bin/env bash
# SST-2, sentiment of film review sentences: test accuracy, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/sst2.sh
#
# The corpus: sst2/{train,dev,test}.tsv, text<TAB>label, from https://github.com/clairett/pytorch-sentiment-classification
# (data/SST2; Socher et al. 2013). SEEDS="1" trains one model only.
set -euo pipefail
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"
corpus=${SEQNLP_CORPORA:?the folder that holds sst2/}/sst2
mkdir -p out

results=()
for seed in ${SEEDS:-1 2 3}; do
    model=out/sst2-$seed
    seqnlp classify train "$corpus/train.tsv" --dev "$corpus/dev.tsv" -o "$model" --seed "$seed" >"$model.train.json"
    seqnlp classify eval "$model" "$corpus/test.tsv" >"$model.json"
    results+=("$model.json")
done
python pipelines/table.py "${results[@]}"
