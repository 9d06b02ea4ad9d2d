#!/usr/bin/env bash
# SST-2 with 500 labelled rows, all others as text without labels: test accuracy, mean of three seeds, alone and
# beginning with a language model of the text; defaults but for what the model needs to fit the classifier, which takes
# none of its n-grams: without them the network that foresees best is kept.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/sst2_pretrained.sh
#
# The corpus: that of sst2 in classification.txt.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds sst2/}/sst2
head -n 500 "$corpus/train.tsv" >out/sst2-500.tsv
cut -f 1 "$corpus/train.tsv" >out/sst2-text.txt
seqnlp lm train out/sst2-text.txt -o out/sst2-lm --level word --normalize nfkc,lower --direction both \
    --embedding-size 128 --hidden-size 128 --layers 1 --ngrams 0 >out/sst2-lm.json
train=(out/sst2-500.tsv)
test=("$corpus/test.tsv")
recipe classify sst2-500 "1 2 3"
train+=(--pretrained out/sst2-lm)
recipe classify sst2-500-pretrained "1 2 3"
