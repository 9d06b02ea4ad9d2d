#!/usr/bin/env bash
# Universal Dependencies, English Web Treebank, parts of speech (UPOS) of gold tokens: test accuracy, defaults only, mean
# of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/ud_ewt.sh
#
# The corpus: ud_english_ewt/en_ewt-ud-{train,dev,test}.conllu, from
# https://github.com/UniversalDependencies/UD_English-EWT (Silveira et al. 2014). SEEDS="1" trains one model only.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds ud_english_ewt/}/ud_english_ewt/en_ewt-ud
train=("$corpus-train.conllu" --dev "$corpus-dev.conllu")
test=("$corpus-test.conllu")
recipe tag ud-ewt "1 2 3"
