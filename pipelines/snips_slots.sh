#!/usr/bin/env bash
# Snips, the slots of a spoken request: F1 over spans on the test part, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/snips_slots.sh
#
# The corpus: snips/{train,valid,test}/{seq.in,seq.out}, line by line, from https://github.com/MiuLab/SlotGated-SLU
# (data/snips; Coucke et al. 2018, Goo et al. 2018). SEEDS="1" trains one model only.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds snips/}/snips
train=("$corpus"/train/{seq.in,seq.out} --dev "$corpus/valid/seq.in" --dev "$corpus/valid/seq.out")
test=("$corpus"/test/{seq.in,seq.out})
recipe tag snips-slots "1 2 3"
