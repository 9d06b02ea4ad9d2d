#!/usr/bin/env bash
# arXiv, the primary category of a paper from its title and abstract: test accuracy, defaults only, one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/arxiv_topics.sh
#
# The corpus: arxiv_titles/{train.jsonl.gz,dev.jsonl,test.jsonl} with title, abstract and category, in order of date,
# from https://github.com/staeiou/arxiv_archive (processed_data/20190101: cs.CL, cs.SE, cs.HC).
set -euo pipefail
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"
corpus=${SEQNLP_CORPORA:?the folder that holds arxiv_titles/}/arxiv_titles
mkdir -p out

fields=(--text-field title,abstract --label-field category)
results=()
for seed in ${SEEDS:-1}; do
    model=out/arxiv-topics-$seed
    seqnlp classify train "$corpus/train.jsonl.gz" --dev "$corpus/dev.jsonl" "${fields[@]}" \
        -o "$model" --seed "$seed" >"$model.train.json"
    seqnlp classify eval "$model" "$corpus/test.jsonl" "${fields[@]}" >"$model.json"
    results+=("$model.json")
done
python pipelines/table.py "${results[@]}"
