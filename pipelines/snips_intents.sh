#!/usr/bin/env bash
# Snips, the intent of a spoken request: test accuracy, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/snips_intents.sh
#
# The corpus: snips/{train,valid,test}/{seq.in,label}, line by line, from https://github.com/MiuLab/SlotGated-SLU
# (data/snips; Coucke et al. 2018, Goo et al. 2018). SEEDS="1" trains one model only.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds snips/}/snips
train=("$corpus"/train/{seq.in,label} --dev "$corpus/valid/seq.in" --dev "$corpus/valid/label")
test=("$corpus"/test/{seq.in,label})
recipe classify snips-intents "1 2 3"
