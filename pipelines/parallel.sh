#!/usr/bin/env bash
# Predict the lines of a file with several processes of one machine; what comes out is what one process prints.
#
#     bash pipelines/parallel.sh WORKERS FILE seqnlp TASK predict MODEL [OPTION...] > OUTPUT
#
# The file is cut into parts of PART lines (100,000), each of which a process reads on stdin, with one thread; OUTPUT
# has them in order. Parts wait in a folder of $TMPDIR. With GNU parallel one line does it:
#
#     parallel --pipepart -a FILE --block -1 -j WORKERS -k OMP_NUM_THREADS=1 seqnlp TASK predict MODEL --to jsonl
set -euo pipefail
workers=$1 file=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
split -l "${PART:-100000}" -a 6 -d -- "$file" "$folder/part-"
export OMP_NUM_THREADS=1
# xargs runs so many at a time, and ends with an error where one of them does
find "$folder" -name 'part-*' -print0 | sort -z |
    xargs -0 -P "$workers" -I{} sh -c 'part=$1; shift; "$@" < "$part" > "$part.out" && rm "$part"' sh {} "$@"
find "$folder" -name '*.out' -print0 | sort -z | xargs -0 -r cat
