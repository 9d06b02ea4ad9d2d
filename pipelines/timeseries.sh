#!/usr/bin/env bash
# Single series: a sine, daily temperatures, monthly sunspots, passengers of an airline; each beside the naive forecasts
# and Theta, which the results hold (details.methods).
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/timeseries.sh
#
# The corpora: timeseries/{daily-min-temperatures,monthly-sunspots,airline-passengers}.csv, of the Time Series Data
# Library. The last 730 days, 564 months and 48 months are the test parts. SEEDS="1" trains one model of each.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds timeseries/}/timeseries
parts=out/timeseries
mkdir -p "$parts"

python -c 'import math; print(*(f"{math.sin(math.tau * n / 100):.6f}" for n in range(1500)), sep="\n")' >"$parts/sine.txt"
head -n 1000 "$parts/sine.txt" >"$parts/sine-train.txt"
tail -n 500 "$parts/sine.txt" >"$parts/sine-test.txt"

# cut NAME ROWS: the last rows are for test
cut() {
    head -n "-$2" "$corpus/$1.csv" >"$parts/$1-train.csv"
    { head -n 1 "$corpus/$1.csv" && tail -n "$2" "$corpus/$1.csv"; } >"$parts/$1-test.csv"
}

train=("$parts/sine-train.txt" --window 10 --horizon 1)
test=("$parts/sine-test.txt")
recipe forecast sine "1"

cut daily-min-temperatures 730
train=("$parts/daily-min-temperatures-train.csv" --gaps linear)
test=("$parts/daily-min-temperatures-test.csv")
recipe forecast temperatures "1 2 3"

cut monthly-sunspots 564
train=("$parts/monthly-sunspots-train.csv")
test=("$parts/monthly-sunspots-test.csv")
recipe forecast sunspots "1 2 3"

cut airline-passengers 48
train=("$parts/airline-passengers-train.csv" --horizon 1 --window 24)
test=("$parts/airline-passengers-test.csv")
recipe forecast passengers "1 2 3"
