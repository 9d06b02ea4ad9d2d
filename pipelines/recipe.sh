#!/usr/bin/env bash
# What the recipes of published results share. A bash script sources it, sets the arrays `train` and `test` (what
# follows `seqnlp TASK train` and `seqnlp TASK eval MODEL`), and calls recipe:
#
#     recipe TASK NAME "SEEDS"
#
# It trains a model for each seed in out/NAME-SEED (a finished one is not trained again), scores it, prints a table.
set -euo pipefail
. "$(dirname -- "$0")/env.sh"
cd -- "$seqnlp_root"
mkdir -p out

recipe() {
    local task=$1 name=$2 seed model results=()
    for seed in ${SEEDS:-$3}; do
        model=out/$name-$seed
        seqnlp "$task" train "${train[@]}" -o "$model" --seed "$seed" >"$model.train.json"
        seqnlp "$task" eval "$model" "${test[@]}" >"$model.json"
        results+=("$model.json")
    done
    python pipelines/table.py "${results[@]}"
}
