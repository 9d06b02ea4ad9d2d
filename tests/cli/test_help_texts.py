"""What the help of every command says: each argument and option in words, no command and no flag that there is not."""

import re

import click
import pytest

from seqnlp import cli
from seqnlp.tasks import registry


def walk(command, context):
    """Every command below one, with its context."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            yield from walk(below, click.Context(below, parent=context, info_name=name))


ROOT = click.Context(cli.root, info_name="seqnlp")
CONTEXTS = {context.command_path: context for context in walk(cli.root, ROOT)}


@pytest.fixture(params=CONTEXTS)
def context(request):
    return CONTEXTS[request.param]


def whole(context):
    """What --help-all shows, in lines as long as they like."""
    width, context.terminal_width = context.terminal_width, 1000
    context.meta["seqnlp.help_all"] = True
    try:
        return context.get_help()
    finally:
        context.meta.pop("seqnlp.help_all")
        context.terminal_width = width


def test_no_help_shows_what_is_for_programs(context):
    for fault in ("None", 'default: ""', "RANGE", "INTEGER", "FLOAT", "<=", ">=", "[default: False]", "{", "}"):
        assert fault not in whole(context), fault


def test_every_argument_and_option_is_said_in_a_sentence(context):
    for param in context.command.get_params(context):
        record = param.get_help_record(context)
        about = record[1].split("  [")[0]
        assert re.fullmatch(r"[A-Za-z-].*\.( .*)?|.*: 3,2\.", about), record
        assert about[0].isupper() or " " in about


def test_every_command_in_a_help_is_there(context):
    for name, rest in re.findall(r"\bseqnlp (\w+)((?: [\w./<>|-]+)*)", whole(context)):
        path = f"seqnlp {name}"
        assert path in CONTEXTS, f"seqnlp {name}{rest}"
        if isinstance(CONTEXTS[path].command, click.Group) and (words := rest.split()):
            assert f"{path} {words[0]}" in CONTEXTS, f"seqnlp {name}{rest}"


def test_every_flag_in_a_help_is_there(context):
    known = {flag for one in CONTEXTS.values() for param in one.command.get_params(one) for flag in param.opts}
    known |= {flag for one in CONTEXTS.values() for p in one.command.get_params(one) for flag in p.secondary_opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", whole(context))) <= known


def test_every_example_starts_a_command(context):
    example = whole(context).split("Example:\n")[1]
    assert context.command_path in example


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_a_task_shows_an_example_of_its_own_with_corpora_as_its_verbs_have_them(name):
    example = whole(CONTEXTS[f"seqnlp {name}"]).split("Example:\n")[1]
    assert f"seqnlp {name} train" in example and f"seqnlp {name} eval" in example
    assert f".{registry.get(name).ending}" in example
    assert {line.split()[1] for line in re.findall(r"seqnlp .*", example)} == {name}


def test_a_default_in_the_environment_is_named_after_command_and_flag():
    train = CONTEXTS["seqnlp classify train"]
    names = [p.variable(train) for p in train.command.params if isinstance(p, click.Option) and hasattr(p, "variable")]
    assert {"SEQNLP_CLASSIFY_TRAIN_EPOCHS", "SEQNLP_CLASSIFY_TRAIN_FROM", "SEQNLP_CLASSIFY_TRAIN_OUTPUT"} <= {*names}
    assert len(names) == len({*names})


def test_a_misspelt_name_in_the_environment_is_said(monkeypatch, capsys):
    monkeypatch.setenv("SEQNLP_SCORE_FAIL_UNDR", "90")
    monkeypatch.setenv("SEQNLP_SCORES", "of something else")
    with pytest.raises(SystemExit):
        cli.main(["score", "accuracy", "nowhere.txt", "nowhere.txt"])
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("no option of this command; did you mean SEQNLP_SCORE_FAIL_UNDER?")
    assert len(said) == 2
