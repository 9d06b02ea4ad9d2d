"""The floors of the package: imports point down only, heavy packages stay where they belong; files are chapters."""

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import seqnlp

ROOT = Path(seqnlp.__file__).parent
FLOORS = [
    {"version", "errors", "options", "io"},
    {"preprocess"},
    {"metrics", "checks"},
    {"nn"},
    {"training", "decoding"},
    {"tasks"},
    {"workflows"},
    {"cli"},
    {"__main__"},
]
MAX_FILE, MAX_FUNCTION = 300, 45  # lines
TOO_LONG: set[str] = set()
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
WITH_TORCH = re.compile(
    r"seqnlp\.(nn|training|decoding|tasks\.(\w+\.(network|generation|rolling|stream)|encoder)|workflows\.(start|evaluate|follow|predict|refit))(\.|$)"
)
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


class Import(NamedTuple):
    """A module's import of another one: at its top, or when a function is called, or for its types alone."""

    name: str
    top: bool
    line: int


PAGE = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")


def block(title):
    """The first block of text below a title of docs/architecture.md."""
    return re.search(rf"^## {title}\n.*?^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)[1].splitlines()


def part(module):
    """The first name below seqnlp: errors, preprocess, nn, ...; seqnlp itself for the package."""
    return module.split(".")[1] if "." in module else module


@functools.cache
def tree(module):
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


@functools.cache
def imports(module):
    """Every import of a module, those for the type checker among what is not loaded with it."""
    found = []

    def visit(node, top):
        top = top and not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, top, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                found.append(Import(longer if longer in FILES else node.module, top, node.lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    visit(tree(module), True)
    return tuple(found)


def ours(module, *, top_only=False):
    return [found for found in imports(module) if found.name in FILES and (found.top or not top_only)]


def importers(package, *, top_only=False):
    """The modules that import a package from outside."""
    return {
        module
        for module in FILES
        for found in imports(module)
        if found.name.split(".")[0] == package and (found.top or not top_only)
    }


@functools.cache
def loaded_with(module):
    """Every module of ours that is imported when `module` is."""
    reached, left = set(), [module]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            parents = [".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 1)]
            left += [*parents, *(found.name for found in ours(name, top_only=True))]
    return frozenset(reached)


def calls(module):
    """The calls in a module as (dotted name, line)."""
    nodes = (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))
    return [(ast.unparse(node.func), node.lineno) for node in nodes]


def test_the_walk_finds_the_modules():
    assert {"seqnlp", "seqnlp.errors", "seqnlp.nn.recurrent", "seqnlp.tasks.classify.task", "seqnlp.cli"} <= set(FILES)


def test_the_page_on_the_architecture_has_the_same_floors():
    assert [set(line.split(", ")) for line in block("The floors")] == FLOORS[::-1]


def test_the_page_on_the_architecture_has_every_package():
    listed, above = [], []
    for line in block("The tree"):
        depth = (len(line) - len(line.lstrip())) // 2
        name, about = line.split(maxsplit=1)
        above = [*above[:depth], name.rstrip("/")]
        assert about
        listed.append(".".join(above))
    assert sorted(listed) == [name for name, path in sorted(FILES.items()) if path.name == "__init__.py"]


def test_the_page_on_the_architecture_has_the_contract_of_a_task():
    from seqnlp.tasks import base, outputs

    _, of_task, of_output = re.split("A task must define:|An output must\ndefine:", PAGE)
    for part, kind in ((of_task, base.Task), (of_output, outputs.Output)):
        named = re.findall(r"^\| ([^|]*) \|", part, flags=re.MULTILINE)
        assert {name for row in named for name in re.findall("`(.*?)`", row)} == kind.__abstractmethods__
    assert base.Codec.__abstractmethods__ == {"encode", "features", "save", "load"}


def every(modules):
    """A rule for each of these modules, in one test: a test for each would take longer than all that they look at."""

    def made(rule):
        def test():
            broken = []
            for module in modules:
                try:
                    rule(module)
                except AssertionError as error:
                    broken.append(f"{module}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__, test.__doc__ = rule.__name__, rule.__doc__
        return test

    return made


@every([name for name in FILES if name != "seqnlp"])
def test_every_module_has_a_floor(module):
    assert part(module) in FLOOR, f"{module}: give it a floor in docs/architecture.md and in this test"


@every([name for name in FILES if name != "seqnlp"])
def test_imports_point_down(module):
    up = [
        f"{module}:{found.line} imports {found.name}"
        for found in ours(module)
        if found.name != "seqnlp" and FLOOR[part(found.name)] > FLOOR[part(module)]
    ]
    assert not up


def test_the_package_itself_imports_its_version_and_errors_and_when_asked_its_interface():
    found = {(found.name, found.top) for found in ours("seqnlp")}
    asked = {("seqnlp.workflows.predict", False), ("seqnlp.workflows.interface", False)}
    assert found == {("seqnlp.version", True), ("seqnlp.errors", True), *asked}


def test_no_import_comes_back_to_where_it_began():
    left = {module: {found.name for found in ours(module)} - {module} for module in FILES}
    while free := [module for module, needed in left.items() if not needed & set(left)]:
        for module in free:
            del left[module]
    assert not {module: needed & set(left) for module, needed in left.items()}


@every(FILES)
def test_no_module_imports_a_package_that_it_is_in(module):
    assert not [found for found in ours(module) if module.startswith(f"{found.name}.")]


@every(FILES)
def test_modules_are_imported_across_packages_and_not_names(module):
    # Exempt: the names of one's own package, and the few nouns that every chapter speaks of.
    nouns = {"seqnlp.options", "seqnlp.version", "seqnlp.preprocess.corpora.examples"}
    named = [
        f"{module}:{found.lineno} from {found.module} import {alias.name}"
        for found in ast.walk(tree(module))
        if isinstance(found, ast.ImportFrom) and str(found.module).startswith("seqnlp")
        for alias in found.names
        if f"{found.module}.{alias.name}" not in FILES and found.module not in nouns
        if part(str(found.module)) != part(module) and module not in ("seqnlp", "seqnlp.__main__")
    ]
    assert not named


@every([name for name in FILES if not WITH_TORCH.match(name)])
def test_torch_comes_neither_directly_nor_through_another_module(module):
    heavy = {name for name in loaded_with(module) if name in importers("torch", top_only=True)}
    assert not heavy, f"importing {module} imports torch through {sorted(heavy)}"


def test_only_what_computes_names_torch_at_all():
    inside = {"tasks", "cli"}  # in functions only, as the test above holds
    assert not [name for name in importers("torch") if not WITH_TORCH.match(name) and part(name) not in inside]


@pytest.mark.parametrize("package", ["torch", "datasets", "click", "rich"])
def test_metrics_text_errors_and_preprocessing_are_light(package):
    light = [name for name in FILES if part(name) in {"metrics", "checks", "io", "errors", "options", "preprocess"}]
    allowed = {"seqnlp.preprocess.corpora.tables"} if package == "datasets" else set()
    assert not (set(light) & importers(package)) - allowed


def test_datasets_is_imported_for_its_own_data_sets_only():
    assert importers("datasets") == {"seqnlp.preprocess.corpora.tables"}
    assert importers("datasets", top_only=True) == set()


@pytest.mark.parametrize("module", ["preprocess.corpora.readers", "cli.encode", "cli.pack", "workflows.predict"])
def test_pyarrow_waits_until_there_is_a_table(module):
    assert not loaded_with(f"seqnlp.{module}") & importers("pyarrow", top_only=True)


@pytest.mark.parametrize("package", ["click", "rich"])
def test_only_the_command_line_imports_its_packages(package):
    assert {part(module) for module in importers(package)} <= {"cli"}


@pytest.mark.parametrize("package", ["pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle"])
def test_nothing_that_unpickles_is_imported(package):
    assert importers(package) == set()


@every(FILES)
def test_no_pickle_file_is_written_or_read(module):
    forbidden = {"torch.load", "torch.save", "np.load", "np.save", "numpy.load", "numpy.save", "pandas.read_pickle"}
    assert not [call for call in calls(module) if call[0] in forbidden]


@every([name for name in FILES if part(name) not in {"cli", "__main__"}])
def test_only_the_command_line_prints_and_exits(module):
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write", "sys.stderr.write"}
    assert not [call for call in calls(module) if call[0] in forbidden]


@every(FILES)
def test_every_module_says_what_it_is(module):
    assert ast.get_docstring(tree(module))


@every([name for name in FILES if not name.startswith("seqnlp.cli")])
def test_public_functions_and_classes_have_a_docstring(module):
    kinds = ast.FunctionDef | ast.ClassDef
    public = [n for n in tree(module).body if isinstance(n, kinds) and not n.name.startswith("_")]
    assert not [f"{module}:{node.lineno} {node.name}" for node in public if not ast.get_docstring(node)]


@every(FILES)
def test_a_file_is_a_chapter(module):
    lines = FILES[module].read_text(encoding="utf-8").count("\n")
    assert (lines > MAX_FILE) == (module in TOO_LONG), f"{FILES[module]}: {lines} lines, at most {MAX_FILE}"


@every(FILES)
def test_a_function_fits_on_a_screen(module):
    functions = (n for n in ast.walk(tree(module)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    sizes = {f"{FILES[module]}:{n.lineno} {n.name}": n.end_lineno - n.lineno + 1 for n in functions}
    assert not {name: size for name, size in sizes.items() if size > MAX_FUNCTION}
