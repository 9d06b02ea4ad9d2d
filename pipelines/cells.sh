#!/usr/bin/env bash
# Every cell on three tasks, defaults only but for --cell: accuracy on SST-2, tags of the English Web Treebank, BLEU on
# Multi30k de-en after 4 epochs. One table of scores; speeds are measured by tests/benchmarks/cells.py.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/cells.sh
#
# The corpora are those of classification.txt (sst2), ud_ewt.sh and multi30k_de_en.sh. CELLS="lstm ssru" tries these
# only, TASKS="tag" that task only.
. "$(dirname -- "$0")/recipe.sh"
corpora=${SEQNLP_CORPORA:?the folder that holds sst2/, ud_english_ewt/ and multi30k_de_en/}
for cell in ${CELLS:-lstm gru rnn rnn-relu clockwork mingru minlstm ssru rglru}; do
    for task in ${TASKS:-classify tag translate}; do
        case $task in
            classify)
                train=("$corpora/sst2/train.tsv" --dev "$corpora/sst2/dev.tsv" --cell "$cell")
                test=("$corpora/sst2/test.tsv")
                ;;
            tag)
                treebank=$corpora/ud_english_ewt/en_ewt-ud
                train=("$treebank-train.conllu" --dev "$treebank-dev.conllu" --cell "$cell")
                test=("$treebank-test.conllu")
                ;;
            translate)
                pairs=$corpora/multi30k_de_en
                train=("$pairs"/train.{de,en} --dev "$pairs/val.de" --dev "$pairs/val.en" --cell "$cell" --epochs 4)
                test=("$pairs"/test_2016_flickr.{de,en})
                ;;
        esac
        recipe "$task" "cells-$task-$cell" "1"
    done
done
