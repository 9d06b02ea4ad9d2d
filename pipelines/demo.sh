#!/bin/sh
# The main jobs on the corpora of data/: train, predict in a pipe, evaluate; a table of scores at the end.
#
#     sh pipelines/demo.sh
set -eu
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"

out=out/demo
rm -rf "$out"
mkdir -p "$out"

echo "== classify: is a review positive or negative?"
seqnlp classify train data/reviews/train.tsv --dev data/reviews/dev.tsv -o "$out/reviews" --epochs 12 -q >"$out/train.json"
printf '%s\n' "not bad at all , i would come back" "the lobby was lovely but the room ruined it" |
    seqnlp classify predict "$out/reviews" --scores
seqnlp classify eval "$out/reviews" data/reviews/test.tsv >"$out/reviews.json"

echo "== classify: the same in Chinese"
seqnlp classify train data/reviews_zh/train.tsv --dev data/reviews_zh/dev.tsv -o "$out/reviews_zh" --epochs 12 -q \
    >"$out/train_zh.json"
echo "房间很干净，但是服务太差了" | seqnlp classify predict "$out/reviews_zh" --scores
seqnlp classify eval "$out/reviews_zh" data/reviews_zh/test.tsv >"$out/reviews_zh.json"

echo "== tag: who, where, which company?"
seqnlp tag train data/tags/train.conll --dev data/tags/dev.conll -o "$out/tags" --epochs 8 -q >"$out/train_tags.json"
echo "Anna Berg moved to Oslo in May." | seqnlp tag predict "$out/tags" --tokenize
seqnlp tag eval "$out/tags" data/tags/test.conll >"$out/tags.json"

echo "== translate: English number words into German"
seqnlp translate train data/numbers/train.en data/numbers/train.de --dev data/numbers/dev.en --dev data/numbers/dev.de \
    -o "$out/numbers" --epochs 8 --hidden-size 64 --decoder-hidden-size 128 --embedding-size 64 --vocab-size 400 --dropout 0.1 \
    --learning-rate 0.008 --max-tokens 2048 --eval-every 500 --threads 1 -q >"$out/train_numbers.json"
echo "twenty-three small cats" | seqnlp translate predict "$out/numbers"
seqnlp translate eval "$out/numbers" data/numbers/test.en data/numbers/test.de >"$out/numbers.json"

echo "== forecast: visitors of the last year"
head -n 229 data/series/monthly.csv >"$out/visitors.csv"
(head -n 1 && tail -n 12) <data/series/monthly.csv >"$out/last-year.csv"
seqnlp forecast train "$out/visitors.csv" -o "$out/visitors" --epochs 20 -q >"$out/train_visitors.json"
seqnlp forecast predict "$out/visitors" | head -n 4
seqnlp forecast eval "$out/visitors" "$out/last-year.csv" >"$out/visitors.json"

echo "== summarize: a headline for the news"
seqnlp summarize train data/headlines/train.tsv --dev data/headlines/dev.tsv -o "$out/headlines" --epochs 5 \
    --hidden-size 64 --decoder-hidden-size 128 --embedding-size 64 --learning-rate 0.004 --threads 1 -q \
    >"$out/train_headlines.json"
head -n 3 data/headlines/names.tsv | seqnlp summarize predict "$out/headlines"
seqnlp summarize eval "$out/headlines" data/headlines/test.tsv >"$out/headlines.json"

echo "== scores on the test parts"
python pipelines/table.py "$out/reviews.json" "$out/reviews_zh.json" "$out/tags.json" "$out/numbers.json" \
    "$out/headlines.json" "$out/visitors.json"
