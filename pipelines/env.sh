# The environment that the scripts of this checkout run in. A POSIX sh script sources it:
#
#     . "$(dirname -- "$0")/../pipelines/env.sh"
#
# An active virtual environment in which seqnlp imports from this checkout is used as it is. Otherwise it is .venv in
# the checkout ($SEQNLP_VENV is another name for it), made with $PYTHON, or else with the newest Python that runs, and
# made anew when setup.py, constraints.txt or the Python changes. pip is called plainly, so its PIP_* settings and
# pip.conf count.
#
# Afterwards `seqnlp` and `python` are the environment's, and $seqnlp_root is the checkout.

# In dash a sourced file does not know its own path; the script that sources it, $0, is one folder below the root too.
seqnlp_root=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE:-$0}")/.." && pwd -P) || exit 1
if ! [ -f "$seqnlp_root/pipelines/env.sh" ]; then
    echo "pipelines/env.sh: source it from a script in pipelines/ or tests/" >&2
    exit 1
fi
seqnlp_venv=$seqnlp_root/${SEQNLP_VENV:-.venv}

# seqnlp_key PYTHON: what an environment made now with PYTHON depends on, as one word; fails where PYTHON does not run
# or is too old. The root is part of it, because an environment does not survive a move of its folder.
seqnlp_key() {
    "$1" -I -S -c '
import hashlib, os, sys
if sys.version_info < (3, 10):
    sys.exit(1)
root = sys.argv[1]
digest = hashlib.sha256(os.fsencode(root))
for name in ("setup.py", "constraints.txt"):
    with open(os.path.join(root, name), "rb") as file:
        digest.update(file.read())
print("python-%d.%d.%d-" % sys.version_info[:3] + digest.hexdigest())
' "$seqnlp_root"
}

# seqnlp_active: whether the active environment is the one to use. One that we made has a key, and goes by it.
seqnlp_active() {
    [ -n "${VIRTUAL_ENV:-}" ] && [ -x "$VIRTUAL_ENV/bin/seqnlp" ] && ! [ -f "$VIRTUAL_ENV/seqnlp.key" ] &&
        "$VIRTUAL_ENV/bin/python" -I -c '
import importlib.util, os, sys
spec = importlib.util.find_spec("seqnlp")
here = os.path.join(sys.argv[1], "seqnlp", "__init__.py")
sys.exit(spec is None or spec.origin is None or os.path.realpath(spec.origin) != os.path.realpath(here))
' "$seqnlp_root" 2>/dev/null
}

# seqnlp_python: the Python to make an environment with. All of PATH is tried for a name before the next one is,
# because the first hit may be a version manager's shim with no such Python behind it.
seqnlp_python() (
    if [ -n "${PYTHON:-}" ]; then
        seqnlp_key "$PYTHON" >/dev/null 2>&1 && command -v -- "$PYTHON" && exit
        echo "PYTHON=$PYTHON is not a Python from 3.10 on" >&2
        exit 1
    fi
    set -f
    IFS=:
    for name in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
        for folder in $PATH; do
            [ "$folder" != "$seqnlp_venv/bin" ] && [ -x "$folder/$name" ] || continue
            seqnlp_key "$folder/$name" >/dev/null 2>&1 || continue
            printf '%s\n' "$folder/$name"
            exit
        done
    done
    echo "no Python from 3.10 on was found; hint: install python3, or PYTHON=..." >&2
    exit 1
)

# seqnlp_ready: whether .venv is whole and fits. Without $PYTHON its own Python will do, though there may be a newer.
seqnlp_ready() {
    [ -f "$seqnlp_venv/seqnlp.key" ] &&
        seqnlp_found=$(seqnlp_key "${PYTHON:-$seqnlp_venv/bin/python}" 2>/dev/null) &&
        [ "$(cat "$seqnlp_venv/seqnlp.key")" = "$seqnlp_found" ] &&
        [ -x "$seqnlp_venv/bin/python" ]
}

# seqnlp_install: makes .venv from nothing; the key is written last, so what was interrupted is done again.
seqnlp_install() (
    python=$(seqnlp_python) || exit 1
    echo "installing into $seqnlp_venv" >&2
    exec 9>"$seqnlp_venv.lock" || exit 1
    # The lock lives as long as this subshell and what it started, however they end. A second run waits here, and then
    # finds the work done. Where the file system has no locks we go on without.
    "$python" -I -c 'import fcntl; fcntl.flock(0, fcntl.LOCK_EX)' <&9 2>/dev/null || :
    seqnlp_ready && exit

    rm -f "$seqnlp_venv/seqnlp.key"
    key=$(seqnlp_key "$python") || exit 1
    if ! "$python" -m venv --clear "$seqnlp_venv" >/dev/null 2>&1; then
        rm -rf "$seqnlp_venv"
        if ! "$python" -m virtualenv "$seqnlp_venv" >/dev/null 2>&1; then
            rm -rf "$seqnlp_venv"
            echo "python3-venv is missing; hint: apt-get install python3-venv, or PYTHON=..." >&2
            exit 1
        fi
    fi
    log=$seqnlp_venv/install.log
    set -- -c "$seqnlp_root/constraints.txt" -e "${seqnlp_root}[test]"
    # The pip of an early 3.10 would otherwise build what comes as source (seqeval) in a way that fails now.
    if ! PIP_USE_PEP517=1 "$seqnlp_venv/bin/python" -m pip install "$@" >"$log" 2>&1; then
        cat "$log" >&2
        echo "installing into $seqnlp_venv failed, see above" >&2
        exit 1
    fi
    printf '%s\n' "$key" >"$seqnlp_venv/seqnlp.key"
)

if seqnlp_active; then
    seqnlp_venv=$VIRTUAL_ENV
elif ! seqnlp_ready; then
    seqnlp_install || exit 1
fi

VIRTUAL_ENV=$seqnlp_venv
case $PATH in
    "$seqnlp_venv/bin:"*) ;;
    *) PATH=$seqnlp_venv/bin:$PATH ;;
esac
# Without these `datasets` keeps its caches in the home folder.
HF_HOME=${HF_HOME:-$seqnlp_venv/cache/huggingface}
HF_DATASETS_CACHE=${HF_DATASETS_CACHE:-$HF_HOME/datasets}
export VIRTUAL_ENV PATH HF_HOME HF_DATASETS_CACHE
unset PYTHONHOME seqnlp_found
