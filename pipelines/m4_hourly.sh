#!/usr/bin/env bash
# M4 hourly, 414 series, 48 hours ahead: sMAPE and MASE of the test part, defaults only, mean of three seeds.
#
#     SEQNLP_CORPORA=FOLDER bash pipelines/m4_hourly.sh
#
# The corpus: m4_hourly/{train,test}.csv.gz, unique_id,hour,value in long form, from https://github.com/Mcompetitions/M4-methods
# (Dataset/{Train,Test}/Hourly-*.csv; Makridakis et al. 2020). SEEDS="1" trains one model only. The result has the
# figures of the seasonal naive forecast (13.91, 1.193) and of Theta beside ours.
. "$(dirname -- "$0")/recipe.sh"
corpus=${SEQNLP_CORPORA:?the folder that holds m4_hourly/}/m4_hourly
train=("$corpus/train.csv.gz" --horizon 48)
test=("$corpus/test.csv.gz")
recipe forecast m4-hourly "1 2 3"
