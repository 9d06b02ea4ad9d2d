#!/bin/sh
# Sets up the environment, checks style and types, and runs the tests:
#
#     sh tests/run.sh [PYTEST ARGUMENTS]      e.g. -m slow, -n 0
set -eu
. "$(dirname -- "$0")/../pipelines/env.sh"
cd -- "$seqnlp_root"

# The tests run whatever the check finds, so that one run shows everything.
checked=0
sh tests/check.sh || checked=1

# The tests' temporary files stay in the checkout as well.
PYTEST_DEBUG_TEMPROOT=$seqnlp_root/.pytest_cache/tmp
export PYTEST_DEBUG_TEMPROOT
mkdir -p "$PYTEST_DEBUG_TEMPROOT"

# The many commands that the tests start would each compile the package anew.
unset PYTHONDONTWRITEBYTECODE

# A process a core, each with one thread; what each gets is for tests/conftest.py to say. -n 0: one process.
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
tests=0
python -m pytest -n auto "$@" || tests=$?

if [ "$checked" -ne 0 ]; then
    echo "ruff or mypy found something, see the top" >&2
    exit 1
fi
exit "$tests"
