#!/usr/bin/env bash
# Tiny Shakespeare, characters: bits a character on the last 5%, and on the last tenth; defaults only, one seed. Trained
# on the first 90% of the characters; the weights are those of the best epoch on [90%, 95%).
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/tiny_shakespeare.sh
#
# The corpus: tiny_shakespeare/input.txt, 1,115,394 characters, from https://github.com/karpathy/char-rnn
# (data/tinyshakespeare; Karpathy 2015).
. "$(dirname -- "$0")/recipe.sh"
text=${SEQNLP_CORPORA:?the folder that holds tiny_shakespeare/}/tiny_shakespeare/input.txt
parts=out/tiny-shakespeare
mkdir -p "$parts"
head -c 1003854 "$text" >"$parts/train.txt"
head -c 1059624 "$text" | tail -c +1003855 >"$parts/dev.txt"
tail -c +1059625 "$text" >"$parts/test.txt"
tail -c +1003855 "$text" >"$parts/tenth.txt"
train=("$parts/train.txt" --dev "$parts/dev.txt" --level char)
test=("$parts/test.txt")
recipe lm tiny-shakespeare "1"
for seed in ${SEEDS:-1}; do
    seqnlp lm eval "out/tiny-shakespeare-$seed" "$parts/test.txt" --adapt
    seqnlp lm eval "out/tiny-shakespeare-$seed" "$parts/tenth.txt"
done
