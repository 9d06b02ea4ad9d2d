#!/usr/bin/env bash
# arXiv, the title of a paper from its abstract: ROUGE, beside it that of the first words; one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/arxiv_titles.sh
#
# The corpus: arxiv_titles/{train.jsonl.gz,dev.jsonl,test.jsonl} with title and abstract, in order of date, from
# https://github.com/staeiou/arxiv_archive (processed_data/20190101: cs.CL, cs.SE, cs.HC).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds arxiv_titles/}/arxiv_titles
train=("$corpus/train.jsonl.gz" --dev "$corpus/dev.jsonl" --hidden-size 128 --embedding-size 128
    --decoder-hidden-size 256 --max-document-length 150 --learning-rate 0.004 --epochs 12)
test=("$corpus/test.jsonl")
recipe summarize arxiv-titles "1"
