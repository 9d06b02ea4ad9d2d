"""The way from a checkout to a working command: pipelines/env.sh, the scripts around it, and the wheel."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib import util
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]

# A Python that makes and fills environments in no time; what else it is asked for the real one answers.
FAKE_PYTHON = """#!/bin/sh
echo "$0 $*" >>{log}
for last; do :; done
case "$1 $2" in
"-m venv" | "-m virtualenv")
    mkdir -p "$last/bin" && cp "$0" "$last/bin/python"
    case "$2" in {missing}) exit 1 ;; esac ;;
"-m pip")
    echo "pip was here"
    sleep 0.2
    ! [ -e {pip_fails} ] ;;
*)
    exec {real} "$@" ;;
esac
"""
SHIM = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"


def write_command(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Sourced(NamedTuple):
    """What a script that sources env.sh ends with."""

    code: int
    bin: str  # the first folder of its PATH
    cache: str  # where `datasets` would keep its files
    errors: str


class Checkout:
    """A small checkout with env.sh in it, in a folder with a blank, and a PATH on which only our own Pythons are."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "check out"
        self.venv = self.root / ".venv"
        self.bin = tmp_path / "bin"
        self.log = tmp_path / "log"
        self.pip_fails = tmp_path / "pip fails"
        (self.root / "pipelines").mkdir(parents=True)
        (self.root / "tests").mkdir()
        for name in ("setup.py", "constraints.txt", "pipelines/env.sh"):
            shutil.copy(ROOT / name, self.root / name)
        source = '. "$(dirname -- "$0")/../pipelines/env.sh"'
        show = 'printf "%s\\n" "${PATH%%:*}" "$HF_DATASETS_CACHE"'
        (self.root / "tests" / "script.sh").write_text(f"set -eu\n{source}\n{show}\n")
        self.bin.mkdir()
        for tool in (*SHELLS, "cat", "cp", "dirname", "mkdir", "rm", "sleep"):
            found = shutil.which(tool)
            if found:
                (self.bin / tool).symlink_to(found)

    def add_python(self, name: str, folder: str = "bin", missing: str = "virtualenv") -> Path:
        """A fake Python on the PATH (if in bin) to which the modules `missing`, a pattern of `case`, are missing."""
        path = self.bin.parent / folder / name
        quoted = {"log": self.log, "pip_fails": self.pip_fails, "real": sys.executable}
        quoted = {key: shlex.quote(str(value)) for key, value in quoted.items()}
        write_command(path, FAKE_PYTHON.format(missing=missing, **quoted))
        return path

    def start(self, shell: str = "sh", **environ: str) -> "subprocess.Popen[str]":
        environ = {"PATH": str(self.bin), "HOME": str(self.root.parent / "home"), **environ}
        command = [shell, str(self.root / "tests" / "script.sh")]
        return subprocess.Popen(
            command, env=environ, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )

    def source(self, shell: str = "sh", **environ: str) -> Sourced:
        process = self.start(shell, **environ)
        output, errors = process.communicate(timeout=60)
        folder, cache = output.splitlines() if process.returncode == 0 else ("", "")
        return Sourced(process.returncode, folder, cache, errors)

    def logged(self, part: str) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if part in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_newest_python_that_runs_makes_the_environment(checkout: Checkout, shell: str) -> None:
    write_command(checkout.bin / "python3.14", SHIM)
    checkout.add_python("python3.12")
    checkout.add_python("python3.11")
    result = checkout.source(shell)
    assert (result.code, result.errors) == (0, f"installing into {checkout.venv}\n")
    assert result.bin == str(checkout.venv / "bin")
    assert checkout.logged("-m venv") == [f"{checkout.bin}/python3.12 -m venv --clear {checkout.venv}"]
    assert checkout.logged("-m pip") == [
        f"{checkout.venv}/bin/python -m pip install -c {checkout.root}/constraints.txt -e {checkout.root}[test]"
    ]


def test_an_environment_of_another_name_leaves_the_usual_one_alone(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    other = checkout.root / ".venv-3.12"
    assert checkout.source(SEQNLP_VENV=".venv-3.12").bin == str(other / "bin")
    assert not checkout.venv.exists()
    assert checkout.source().bin == str(checkout.venv / "bin")
    assert checkout.source(SEQNLP_VENV=".venv-3.12").errors == ""  # not made a second time


def test_a_python_behind_a_broken_shim_is_found(checkout: Checkout, tmp_path: Path) -> None:
    write_command(tmp_path / "shims" / "python3.13", SHIM)
    checkout.add_python("python3.13")
    checkout.add_python("python3")
    assert checkout.source(PATH=f"{tmp_path}/shims:{checkout.bin}").code == 0
    assert checkout.logged("-m venv")[0].startswith(f"{checkout.bin}/python3.13 ")


def test_a_python_that_is_asked_for_is_taken(checkout: Checkout) -> None:
    checkout.add_python("python3.12")
    asked = checkout.add_python("my python", folder="elsewhere")
    assert checkout.source(PYTHON=str(asked)).code == 0
    assert checkout.logged("-m venv")[0].startswith(f"{asked} ")


def test_without_a_python_there_is_one_line(checkout: Checkout) -> None:
    write_command(checkout.bin / "python3", SHIM)
    hint = "no Python from 3.10 on was found; hint: install python3, or PYTHON=...\n"
    assert checkout.source() == (1, "", "", hint)
    assert checkout.source(PYTHON="python3") == (1, "", "", "PYTHON=python3 is not a Python from 3.10 on\n")


def test_what_is_in_place_is_left_alone(checkout: Checkout) -> None:
    checkout.add_python("python3")
    checkout.source()
    done = len(checkout.logged(" -m "))
    assert checkout.source().errors == ""
    assert checkout.source(VIRTUAL_ENV=str(checkout.venv), PATH=f"{checkout.venv}/bin:{checkout.bin}").errors == ""
    assert len(checkout.logged(" -m ")) == done


@pytest.mark.parametrize("name", ["setup.py", "constraints.txt"])
def test_a_changed_requirement_makes_it_again(checkout: Checkout, name: str) -> None:
    checkout.add_python("python3")
    checkout.source()
    with open(checkout.root / name, "a") as file:
        file.write("# changed\n")
    # As with the environment active: it must not be made out of itself.
    active = {"VIRTUAL_ENV": str(checkout.venv), "PATH": f"{checkout.venv}/bin:{checkout.bin}"}
    (checkout.venv / "bin" / "python3").symlink_to("python")
    assert checkout.source(**active).errors == f"installing into {checkout.venv}\n"
    made = [line.split(" -m ")[0] for line in checkout.logged("-m venv")]
    assert made == [f"{checkout.bin}/python3"] * 2


def test_another_python_makes_it_again(checkout: Checkout) -> None:
    checkout.add_python("python3")
    checkout.source()
    key = checkout.venv / "seqnlp.key"
    key.write_text(key.read_text().replace("python-3", "python-2"))
    assert checkout.source().errors == f"installing into {checkout.venv}\n"


def test_a_failure_of_pip_is_shown_and_tried_again(checkout: Checkout) -> None:
    checkout.add_python("python3")
    checkout.pip_fails.touch()
    result = checkout.source()
    assert result.code == 1
    assert "pip was here" in result.errors
    checkout.pip_fails.unlink()
    assert checkout.source().code == 0
    assert len(checkout.logged("-m venv")) == 2


def test_without_venv_and_virtualenv_there_is_a_hint(checkout: Checkout) -> None:
    checkout.add_python("python3", missing="venv|virtualenv")
    result = checkout.source()
    assert result.code == 1
    hint = "python3-venv is missing; hint: apt-get install python3-venv, or PYTHON=..."
    assert result.errors.splitlines() == [f"installing into {checkout.venv}", hint]
    assert not checkout.venv.exists()


def test_virtualenv_stands_in_for_venv(checkout: Checkout) -> None:
    checkout.add_python("python3", missing="venv")
    assert checkout.source().code == 0
    assert len(checkout.logged("-m virtualenv")) == 1
    assert (checkout.venv / "seqnlp.key").exists()


def test_two_at_a_time_install_once(checkout: Checkout) -> None:
    checkout.add_python("python3")
    both = [checkout.start(), checkout.start()]
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    assert len(checkout.logged("-m pip")) == 1


@pytest.mark.parametrize("ours", [True, False])
def test_an_active_environment_of_this_checkout_is_used(checkout: Checkout, tmp_path: Path, ours: bool) -> None:
    checkout.add_python("python3")
    seqnlp = (checkout.root if ours else tmp_path / "other checkout") / "seqnlp"
    seqnlp.mkdir(parents=True)
    (seqnlp / "__init__.py").touch()
    active = tmp_path / "active"
    make_environment(active, seqnlp.parent)
    write_command(active / "bin" / "seqnlp", "#!/bin/sh\n")
    result = checkout.source(VIRTUAL_ENV=str(active))
    assert result.code == 0
    assert result.bin == str((active if ours else checkout.venv) / "bin")
    assert checkout.venv.exists() != ours


def test_the_caches_of_datasets_stay_in_the_environment(checkout: Checkout) -> None:
    checkout.add_python("python3")
    assert checkout.source().cache == str(checkout.venv / "cache" / "huggingface" / "datasets")
    assert checkout.source(HF_HOME="/mine").cache == "/mine/datasets"
    assert not (checkout.root.parent / "home").exists()


@pytest.mark.skipif("bash" not in SHELLS, reason="no bash here")
def test_ci_finds_the_shared_folders_beside_the_checkout(tmp_path: Path) -> None:
    root = tmp_path / "check out"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", root / ".ci" / "run")
    write_command(root / "tests" / "run.sh", 'echo "$SEQNLP_CORPORA" "$SEQNLP_CONFORMANCE"\n')
    for name in ("corpora", "conformance"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SEQNLP_")}

    def run(**more: str) -> str:
        command = ["bash", str(root / ".ci" / "run")]
        return subprocess.run(command, env=environ | more, cwd="/", capture_output=True, text=True, check=True).stdout

    assert run() == f"{tmp_path}/shared/corpora {tmp_path}/shared/conformance\n"
    assert run(SEQNLP_CORPORA="/mine") == f"/mine {tmp_path}/shared/conformance\n"


def scripts() -> list[tuple[str, Path]]:
    """Every script with every shell that has to understand it."""
    posix = [*sorted((ROOT / "pipelines").glob("*.sh")), *sorted((ROOT / "tests").glob("*.sh"))]
    bash = [path for path in posix if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash")]
    plain = [(shell, path) for path in posix if path not in bash for shell in SHELLS]
    return plain + [("bash", path) for path in (*bash, ROOT / ".ci" / "run")]


@pytest.mark.parametrize(("shell", "path"), scripts(), ids=lambda value: getattr(value, "name", value))
def test_the_scripts_parse(shell: str, path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    checked = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def make_environment(folder: Path, *paths: Path | str) -> Path:
    """A virtual environment on whose sys.path the folders `paths` are too; its site-packages comes back."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    places = sysconfig.get_paths("posix_prefix", vars={"base": str(folder), "platbase": str(folder)})
    site_packages = Path(places["purelib"])
    (site_packages / "more.pth").write_text("".join(f"{path}\n" for path in paths))
    return site_packages


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build/ folder left in the checkout would put modules in that are long gone."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    for name in ("seqnlp", "tests", "data"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # The build backend itself, in this environment: nothing is downloaded.
    code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    target = tmp_path_factory.mktemp("wheel")
    built = subprocess.run([sys.executable, "-c", code, str(target)], cwd=source, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = target.glob("seqnlp-*.whl")
    return path


def test_the_wheel_has_every_module_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "seqnlp").rglob("*.py")}
    assert names == modules | {"seqnlp/py.typed"}


def test_the_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    places = sysconfig.get_paths()  # the requirements are this environment's
    site_packages = make_environment(fresh, places["purelib"], places["platlib"])
    pip = util.find_spec("pip")
    assert pip is not None and pip.origin is not None
    # This environment's pip, run by the fresh Python, spares the seconds that installing another takes. It sees the
    # seqnlp beside it, which is not to be taken for installed.
    install = [fresh / "bin" / "python", Path(pip.origin).parent, "install", "--ignore-installed"]
    subprocess.run([*map(str, install), "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: str) -> str:
        path = str(fresh / "bin" / command[0])
        done = subprocess.run([path, *command[1:]], cwd=empty, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(run("python", "-c", "import seqnlp; print(seqnlp.__file__)")).is_relative_to(site_packages)
    assert "Usage: seqnlp" in run("seqnlp", "--help")
    version = wheel.name.split("-")[1]
    assert version in run("seqnlp", "--version")
    assert not list(empty.iterdir())
