"""The registry: which tasks predict what, and which of them reads files of such answers."""

import types

import pytest

from seqnlp.tasks import registry


@pytest.mark.parametrize("answers", registry.READERS)
def test_the_task_that_reads_answers_comes_first_wherever_it_stands(monkeypatch, answers):
    """Whatever other task of such answers the registry has, before it or behind it."""
    reader = registry.READERS[answers]
    own, other = registry.get(reader), types.SimpleNamespace(name="other", answers=answers)
    assert own.answers == answers
    monkeypatch.setattr(registry, "get", {reader: own, "other": other}.get)
    for names in (["other", reader], [reader, "other"]):
        monkeypatch.setattr(registry, "REGISTRY", dict.fromkeys(names, ""))
        assert registry.that_predict(answers) == [own, other]
