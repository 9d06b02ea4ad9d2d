#!/usr/bin/env bash
# Brown corpus, words and subwords: perplexity a word on the test part, half an hour each, one seed. Words seen at least four
# times in the training part are known, all others are one unknown word, which is scored too; the details give the
# perplexity without it. Each model is scored as it is, and with dynamic evaluation.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/brown_lm.sh
#
# The corpus: brown_lm/{train,valid,test}.txt, a sentence a line: the first 800,000 tokens of the Brown corpus, the next
# 200,000, and the rest (as Bengio et al. 2003, section 4.1), from https://www.nltk.org/nltk_data (brown.zip).
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds brown_lm/}/brown_lm
test=("$corpus/test.txt")
for level in word bpe; do
    train=("$corpus/train.txt" --dev "$corpus/valid.txt" --level "$level" --time-budget 28m)
    if [ "$level" = word ]; then train+=(--split blanks --min-count 4); fi
    recipe lm "brown-$level" "1"
    for seed in ${SEEDS:-1}; do
        seqnlp lm eval "out/brown-$level-$seed" "${test[@]}" --adapt
    done
done
