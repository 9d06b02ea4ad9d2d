#!/usr/bin/env bash
# What `train` does by itself before its first step, stage by stage in a shell: vocabulary or pieces, ids, buckets; for
# classification and for translation, on the corpora of data/.
#
#     bash pipelines/prepare.sh [FOLDER]
set -euo pipefail
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"
out=${1:-out/prepare}
rm -rf "$out"
mkdir -p "$out"

echo "== classification: words, ids, buckets"
cut -f 1 data/reviews/train.tsv |
    seqnlp vocab - -o "$out/vocab.json" --normalize nfkc,lower --size 50000 --min-count 2
seqnlp encode classify data/reviews/train.tsv --tokenizer "$out/vocab.json" -o "$out/reviews"
seqnlp encode classify data/reviews/dev.tsv --codec "$out/reviews" -o "$out/reviews-dev"
seqnlp pack "$out/reviews" -o "$out/reviews-packed"
seqnlp classify train "$out/reviews-packed" --dev "$out/reviews-dev" -o "$out/reviews-model" --epochs 1 -q

echo "== translation: pieces, ids, buckets"
cat data/numbers/train.de data/numbers/train.en | seqnlp bpe train - -o "$out/bpe.json" --size 1000
paste data/numbers/train.de data/numbers/train.en |
    seqnlp encode translate - --from tsv --tokenizer "$out/bpe.json" -o "$out/numbers"
paste data/numbers/dev.de data/numbers/dev.en |
    seqnlp encode translate - --from tsv --codec "$out/numbers" -o "$out/numbers-dev"
seqnlp pack "$out/numbers" -o "$out/numbers-packed" --max-tokens 1024
seqnlp translate train "$out/numbers-packed" --dev "$out/numbers-dev" -o "$out/numbers-model" --epochs 1 \
    --hidden-size 32 --decoder-hidden-size 64 --embedding-size 32 -q
