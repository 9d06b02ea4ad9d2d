#!/usr/bin/env bash
# Sentence compression, the 10,000 sentences of the evaluation file of Filippova & Altun 2013: ROUGE, beside it that of
# the first words and of the whole sentence; one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/sentence_compression.sh
#
# The corpus: sentence_compression/{train,dev,test}.tsv with original and compressed, from
# https://github.com/google-research-datasets/sentence-compression (row i mod 10: 0 dev, 1 test, the rest train).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds sentence_compression/}/sentence_compression
train=("$corpus/train.tsv" --dev "$corpus/dev.tsv" --hidden-size 128 --embedding-size 128 --decoder-hidden-size 256
    --epochs 12 --max-tokens 1536 --eval-every 400)
test=("$corpus/test.tsv")
recipe summarize sentence-compression "1"
