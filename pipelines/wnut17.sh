#!/usr/bin/env bash
# WNUT-17, emerging and rare names: F1 over spans on the test part, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/wnut17.sh
#
# The corpus: wnut17/{train,dev,test}.conll, from https://github.com/leondz/emerging_entities_17 (wnut17train.conll,
# emerging.dev.conll, emerging.test.annotated; Derczynski et al. 2017). SEEDS="1" trains one model only.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds wnut17/}/wnut17
train=("$corpus/train.conll" --dev "$corpus/dev.conll")
test=("$corpus/test.conll")
recipe tag wnut17 "1 2 3"
