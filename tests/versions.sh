#!/bin/sh
# Runs the quick tests with every Python from 3.10 on that is found here, each in an environment of its own:
#
#     sh tests/versions.sh [PYTEST ARGUMENTS]      PYTHONS="3.10 3.13" for these alone
#
# Looked for on PATH and among pyenv's versions. The environments are .venv-3.10 and so on, of 1.5 to 5 GB each (torch).
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
PYTHONS=${PYTHONS:-3.10 3.11 3.12 3.13 3.14}

# interpreter VERSION: one of just this version; a version manager's shim may have none behind it.
interpreter() (
    IFS=:
    for folder in $PATH "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1."*/bin; do
        python=$folder/python$1
        [ -x "$python" ] || continue
        [ "$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ] || continue
        printf '%s\n' "$python"
        exit
    done
    exit 1
)

# one VERSION PYTHON [PYTEST ARGUMENTS]: the tests in this version's environment.
one() (
    unset VIRTUAL_ENV
    PYTHON=$2 SEQNLP_VENV=.venv-$1
    export PYTHON SEQNLP_VENV
    shift 2
    . "$root/pipelines/env.sh"
    cd -- "$root"
    unset PYTHONDONTWRITEBYTECODE
    OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} python -m pytest -n auto "$@"
)

missing= failed= passed=
for version in $PYTHONS; do
    if python=$(interpreter "$version"); then
        echo "== Python $version: $python"
        if (one "$version" "$python" "$@"); then passed="$passed $version"; else failed="$failed $version"; fi
    else
        missing="$missing $version"
    fi
done
echo "== passed:${passed:- none}; failed:${failed:- none}; not found:${missing:- none}"
[ -n "$passed" ] && [ -z "$failed" ]
