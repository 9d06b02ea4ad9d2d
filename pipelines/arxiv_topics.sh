#!/usr/bin/env bash
# arXiv, the primary category of a paper from its title and abstract: test accuracy, defaults only, one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/arxiv_topics.sh
#
# The corpus: arxiv_titles/{train.jsonl.gz,dev.jsonl,test.jsonl} with title, abstract and category, in order of date,
# from https://github.com/staeiou/arxiv_archive (processed_data/20190101: cs.CL, cs.SE, cs.HC).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds arxiv_titles/}/arxiv_titles
fields=(--text-field title,abstract --label-field category)
train=("$corpus/train.jsonl.gz" --dev "$corpus/dev.jsonl" "${fields[@]}")
test=("$corpus/test.jsonl" "${fields[@]}")
recipe classify arxiv-topics "1"
