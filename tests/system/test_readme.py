"""The README and docs/ are true: their blocks run; what they list is what there is.

Shell blocks marked `sh slow` take minutes and run with -m slow only. docs/contributing.md has a test of its own.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from seqnlp import cli, errors
from seqnlp.cli import task
from seqnlp.metrics import registry as metrics
from seqnlp.preprocess.corpora import detect
from seqnlp.tasks import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
OURS = [name for name in TEXT if name != "contributing.md"]  # what others speak of is there
RUN = [name for name in OURS if "```sh" in TEXT[name]]
FOREIGN = {
    "--index-url",
    "--flair",
    "--spacy",
    "--peer",
    "--model",
    "--peer-model",
    "--cpu",
    "--sentences",
}  # of pip and the benchmarks
FOREIGN |= {"--nproc-per-node", "--nnodes", "--rdzv-backend", "--rdzv-endpoint", "--max-restarts"}  # of torchrun
FOREIGN |= {"--gpus"}  # of pipelines/ray_predict.py
SMALLER = {f"SEQNLP_{task.upper()}_TRAIN_HIDDEN_SIZE": "16" for task in registry.REGISTRY}
for command in ("CLASSIFY_TRAIN", "TAG_TRAIN", "ENCODE_CLASSIFY", "ENCODE_TAG"):
    SMALLER[f"SEQNLP_{command}_CHAR_NGRAM_BUCKETS"] = "1000"
PARTS = ("seqnlp", "tests", "data", "pipelines")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT[page], flags=re.MULTILINE | re.DOTALL)


def cells(page: str, header: str) -> list[str]:
    """The first column of the table with a header."""
    table = re.search(rf"^\| {header} \|.*?\n((?:\|.*\n)+)", TEXT[page], flags=re.MULTILINE)
    assert table, f"{page} has no table of {header}"
    return [row.split("|")[1].strip() for row in table[1].splitlines()[1:]]


def tenth(text: str, end: str) -> str:
    """The first tenth of the records of a file."""
    records = text.split(end)
    return end.join([*records[: len(records) // 10], ""])


@pytest.fixture(scope="module", params=["small", pytest.param("whole", marks=pytest.mark.slow)])
def folder(request, tmp_path_factory, seqnlp):
    """A folder with data/ and the models of the README; in the small one the corpora are a tenth of their size.

    So are the networks.
    """
    place = tmp_path_factory.mktemp("readme")
    small = request.param == "small"
    if small:
        shutil.copytree(ROOT / "data", place / "data")
        for path in (place / "data" / "corpus.txt", *place.glob("data/*/*")):
            if path.stem in ("corpus", "train", "dev", "test"):
                content = path.read_text(encoding="utf-8")
                path.write_text(tenth(content, "\n\n" if path.suffix == ".conll" else "\n"), encoding="utf-8")
    else:
        (place / "data").symlink_to(ROOT / "data")
    run_blocks("README.md", place, seqnlp, slow=not small)
    return place


def run_blocks(page, folder, seqnlp, *, slow):
    """Run the shell blocks of a page in their order, then those of Python as one program."""
    size = {} if slow else SMALLER
    for block in blocks(page, "sh(?: slow)?" if slow else "sh"):
        warm = block not in blocks(page, "sh slow")  # these may send signals, which a warm command does not get
        run = seqnlp.shell(f"set -eu\n{block}", folder, warm=warm, **size)
        assert run.code == 0, f"{block}\n{run.err}"
        assert "Traceback" not in run.err
    if found := blocks(page, "python"):
        (folder / "page.py").write_text("\n".join(found), encoding="utf-8")
        run = seqnlp.program(folder / "page.py")
        assert run.code == 0, run.err


@pytest.mark.parametrize("page", [name for name in RUN if name != "README.md"])
def test_the_blocks_of_a_page_run(page, folder, seqnlp, request):
    assert (folder / "out" / "reviews" / "config.json").is_file()
    run_blocks(page, folder, seqnlp, slow=(folder / "data").is_symlink())


def test_the_table_of_commands_is_that_of_the_command_line():
    listed = [name for cell in cells("commands.md", "command") for name in re.findall("`seqnlp ([a-z ]+)`", cell)]
    verbs = [f"{task} {verb}" for verb in ("train", "predict", "eval") for task in registry.REGISTRY]
    verbs += [f"{task} {verb}" for task, more in registry.VERBS.items() for verb in more]
    assert listed == [*verbs, *(name for name in listed if " " not in name)]
    assert sorted(listed[len(verbs) :]) == sorted(cli.COMMANDS)


def test_the_table_of_exit_codes_is_that_of_the_errors():
    listed = {int(code) for cell in cells("commands.md", "exit code") for code in cell.split(",")}
    kinds = [kind for kind in errors.SeqnlpError.__subclasses__() if kind is not errors.Stopped]
    assert listed == {0, errors.SeqnlpError.code, *(kind.code for kind in kinds), 130, 143}


def test_every_format_is_listed():
    endings = {ending for cell in cells("formats.md", "file") for ending in re.findall(r"`(\.[a-z]+)`", cell)}
    assert endings == set(detect.ENDINGS)
    (names,) = re.findall(r"\| `--from FORMAT` \|.*?: (.*?) \|", TEXT["formats.md"])
    assert names.split(", ") == list(detect.FORMATS)


def wrong_inputs() -> list[list[str]]:
    """The rows of the table of wrong inputs: command, content, message, hint, exit code."""
    _, table = TEXT["formats.md"].split("## Wrong input")
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.split("\n") if row.startswith("| `")]


@pytest.mark.parametrize("row", wrong_inputs(), ids=lambda row: f"{row[0]} {row[1]}")
def test_wrong_input_is_answered_as_the_page_says(row, seqnlp, tmp_path):
    command, content, message, hint, code = row
    content = content.strip("`").encode().decode("unicode_escape") if content.startswith("`") else ""
    (name,) = re.findall(r"\bx\.[a-z.]+", command)
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    run = seqnlp.shell(f"seqnlp {command.strip('`')} -o model -q", tmp_path, warm=True)
    assert (run.code, run.out) == (int(code), "") and not (tmp_path / "model" / "config.json").exists()
    assert len(run.errors) == 1 and run.err.startswith(f"seqnlp: {message}")
    assert run.err.endswith(f"; hint: {hint}\n") if hint else "; hint: " not in run.err


def test_every_metric_is_listed():
    listed = [name for cell in cells("score.md", "metric") for name in re.findall("`(.*?)`", cell)]
    assert listed == list(metrics.METRICS)


def flags(command: click.Command, context: click.Context) -> set[str]:
    """The flags of a command and of all below it."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    found = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        found |= flags(command.get_command(context, name), context)
    return found


@pytest.mark.parametrize("page", OURS)
def test_every_flag_is_one_of_the_command_line(page):
    known = flags(cli.root, click.Context(cli.root)) | FOREIGN | {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", TEXT[page])) <= known


def shown(option: click.Parameter) -> str | None:
    """A default as the pages write it; None where any words may stand for it."""
    value = option.to_info_dict()["default"]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return "off" if value is False else None
    return (value or "none") if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:g}"


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_the_defaults_on_a_task_s_page_are_those_of_its_options(name):
    context = click.Context(cli.root)
    verbs = ("eval", "train", "predict", *registry.VERBS.get(name, ()))  # of one flag in several the last counts
    commands = [task.group(name).get_command(context, verb) for verb in verbs]
    defaults = {flag: shown(option) for command in commands for option in command.params for flag in option.opts}
    rows = re.findall(r"^\| (`--[^|]*) \| ([^|]*) \|", TEXT[f"{name}.md"], flags=re.MULTILINE)
    assert len(rows) > 5
    for names, values in rows:
        for flag, value in zip(re.findall("--[a-z-]+", names), values.split("; "), strict=True):
            assert value == (defaults[flag] or value), flag


@pytest.mark.parametrize("page", OURS)
def test_every_file_of_ours_is_there(page):
    text = re.sub(r"\bout/[\w./]+", "", TEXT[page])
    named = re.findall(r"\b(?:seqnlp|tests|pipelines|data|docs)/[\w/.]*\w", text)
    assert not [path for path in named if not (ROOT / path).exists()]
    modules = {name.replace("/X/", "/classify/") for name in re.findall(r"[\w/]+\.py\b", TEXT[page])}
    ours = [f"/{path.relative_to(ROOT)}" for part in PARTS for path in (ROOT / part).rglob("*.py")]
    assert not [name for name in modules if not any(path.endswith(f"/{name}") for path in ours)]


def anchors(text: str) -> set[str]:
    """What links may name on a page: its titles, as GitHub writes them there."""
    titles = re.findall("^#+ (.*)", text, flags=re.MULTILINE)
    return {"", *(re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles)}


@pytest.mark.parametrize("page", TEXT)
def test_every_link_leads_somewhere(page):
    place = ROOT if page == "README.md" else ROOT / "docs"
    for link in re.findall(r"\]\(([^):]+)\)", TEXT[page]):
        name, _, anchor = link.partition("#")
        to = place / name if name else place / page
        assert anchor in anchors(to.read_text(encoding="utf-8")), link


def test_every_page_is_in_the_readme():
    assert {f"docs/{name}" for name in TEXT if name != "README.md"} == set(
        re.findall(r"\((docs/[\w.]*)", TEXT["README.md"])
    )


@pytest.mark.slow
def test_the_stages_run_one_by_one(tmp_path):
    script = str(ROOT / "pipelines" / "prepare.sh")
    run = subprocess.run(["bash", script, str(tmp_path / "out")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    reports = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    packed, trained = [r for r in reports if "padding" in r], [r for r in reports if "scores" in r]
    assert [report["rows"] for report in packed] == [2000, 8000]
    assert all(report["padding"] < 7 < 40 < report["padding_random"] for report in packed)
    assert [result["task"] for result in trained] == ["classify", "translate"]


@pytest.mark.slow
def test_the_demo_runs(tmp_path):
    run = subprocess.run(["sh", str(ROOT / "pipelines" / "demo.sh")], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "accuracy" in run.stdout
