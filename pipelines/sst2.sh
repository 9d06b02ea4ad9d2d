#!/usr/bin/env bash
# SST-2, sentiment of film review sentences: test accuracy, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/sst2.sh
#
# The corpus: sst2/{train,dev,test}.tsv, text<TAB>label, from https://github.com/clairett/pytorch-sentiment-classification
# (data/SST2; Socher et al. 2013). SEEDS="1" trains one model only.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds sst2/}/sst2
train=("$corpus/train.tsv" --dev "$corpus/dev.tsv")
test=("$corpus/test.tsv")
recipe classify sst2 "1 2 3"
