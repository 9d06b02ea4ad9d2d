#!/usr/bin/env bash
# Multi30k, de to en, captions of pictures: BLEU on test_2016_flickr, defaults only, one seed.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/multi30k_de_en.sh
#
# The corpus: multi30k_de_en/{train,val,test_2016_flickr}.{de,en}, raw text, from https://github.com/multi30k/dataset
# (data/task1/raw; Elliott et al. 2016).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds multi30k_de_en/}/multi30k_de_en
train=("$corpus"/train.{de,en} --dev "$corpus/val.de" --dev "$corpus/val.en")
test=("$corpus"/test_2016_flickr.{de,en})
recipe translate multi30k-de-en "1"
