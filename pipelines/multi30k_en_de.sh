#!/usr/bin/env bash
# Multi30k, en to de, captions of pictures: BLEU on test_2016_flickr, defaults only, one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/multi30k_en_de.sh
#
# The corpus: multi30k_de_en/{train,val,test_2016_flickr}.{de,en}, raw text, from https://github.com/multi30k/dataset
# (data/task1/raw; Elliott et al. 2016).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds multi30k_de_en/}/multi30k_de_en
train=("$corpus"/train.{en,de} --dev "$corpus/val.en" --dev "$corpus/val.de")
test=("$corpus"/test_2016_flickr.{en,de})
recipe translate multi30k-en-de "1"
echo "in lower case, as the figures of the time are:"
for seed in ${SEEDS:-1}; do
    seqnlp translate predict "out/multi30k-en-de-$seed" "$corpus/test_2016_flickr.en" |
        seqnlp score bleu --lowercase "$corpus/test_2016_flickr.de"
done
