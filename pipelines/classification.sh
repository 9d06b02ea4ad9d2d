#!/usr/bin/env bash
# Sets of text classification, classification.txt says which: scores on the test parts, defaults only, mean of three
# seeds. `python tests/benchmarks/linear_model.py` has a linear model on the same files.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/classification.sh [SET...]
#
# SEEDS="1" trains one model of each only.
. "$(dirname -- "$0")/recipe.sh"
corpora=${SEQNLP_CORPORA:?the folder that holds the corpora}

# files NAMES OPTION: NAMES, joined by commas, below the corpora, one a line, each with OPTION before it, if there is one
files() {
    local name
    for name in ${1//,/ }; do
        [ "$name" = - ] || printf '%s\n' ${2:+"$2"} "$corpora/$name"
    done
}

while read -r set training dev testing reading; do
    case $set in '' | '#'*) continue ;; esac
    [ $# = 0 ] || [[ " $* " = *" $set "* ]] || continue
    read -ra fields <<<"$reading"
    mapfile -t train < <(files "$training" && files "$dev" --dev)
    mapfile -t test < <(files "$testing")
    train+=(${fields[@]+"${fields[@]}"}) test+=(${fields[@]+"${fields[@]}"})
    recipe classify "$set" "1 2 3" </dev/null
done <pipelines/classification.txt
