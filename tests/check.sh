#!/bin/sh
# Sets up the environment, and checks style and types:
#
#     sh tests/check.sh [--fix]      with --fix, ruff first mends what it can
set -eu
. "$(dirname -- "$0")/../pipelines/env.sh"
cd -- "$seqnlp_root"

if [ "${1:-}" = --fix ]; then
    python -m ruff check --fix --quiet . || : # what is left is shown below
    python -m ruff format --quiet .
fi

# All three run, whatever the first ones find, so that one run shows everything.
found=0
python -m ruff check . || found=1
python -m ruff format --check . || found=1
python -m mypy || found=1
exit "$found"
