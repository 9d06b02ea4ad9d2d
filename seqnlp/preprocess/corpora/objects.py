"""Objects: records that have names for their values, from lines or an array of JSON, parquet files and the hub."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from seqnlp.io import jsonl
from seqnlp.preprocess.corpora import content, formats, names, schema
from seqnlp.preprocess.corpora.formats import File, Record

log = logging.getLogger(__name__)

FIELDS = 12  # that an error lists at the most


def read_json(file: File) -> Iterator[Record]:
    """One object a line, or an array of objects."""
    fields = _Fields(file)
    lines = iter(file.lines)
    head = list(itertools.islice(lines, 1))
    rest = itertools.chain(head, lines)
    rows = _array(file, rest) if head and content.ARRAY.match(head[0]) else _lines(file, rest)
    for number, row in rows:
        if row is None:
            yield Record({file.roles[0]: ""}, "", file.name, number)
        else:
            yield fields.record(number, row)


def _lines(file: File, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The object on each line; None for a blank line to predict."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            if file.needed == 1:
                yield number, None
            continue
        try:
            record = json.loads(line)
            if file.needed == 1 and isinstance(record, dict):
                record = jsonl.Object(line)  # it is given back as it came
        except json.JSONDecodeError as error:
            hint = "one object a line" + (", as jq -c . FILE writes them" if line.strip() == "{" else "")
            raise file.error(number, f"not JSON ({error.msg} at character {error.pos + 1})", hint) from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
            raise file.error(number, f"not JSON that can be read ({error})", "one object a line") from None
        yield number, _object(file, number, record)


def _object(file: File, number: int, record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise file.error(number, f"a JSON {type(record).__name__}, expected an object", "one object a line")
    return record


def _array(file: File, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array, each with the line it begins on."""
    text = "\n".join(lines)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise file.error(
            error.lineno, f"not JSON ({error.msg} at character {error.colno})", "an array of objects"
        ) from None
    except (ValueError, RecursionError) as error:
        raise file.error(1, f"not JSON that can be read ({error})", "an array of objects") from None
    decoder, place, number = json.JSONDecoder(), text.index("[") + 1, 1
    done = 0
    while True:
        while text[place] in " \t\r\n,":
            place += 1
        if text[place] == "]":
            return
        number += text.count("\n", done, place)
        done = place
        begin = place
        record, place = decoder.raw_decode(text, begin)
        if file.needed == 1 and isinstance(record, dict):
            record = jsonl.Object(text[begin:place])
        yield number, _object(file, number, record)


def read_rows(file: File, rows: Iterable[Mapping[str, Any]]) -> Iterator[Record]:
    """Rows of a table, which has names for its columns."""
    fields = _Fields(file)
    for number, row in enumerate(rows, 1):
        yield fields.record(number, dict(row))


class _Fields:
    """Which fields play the roles: the first record tells."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.names: dict[str, list[str]] | None = None

    def record(self, number: int, row: dict[str, Any]) -> Record:
        """Return an object as a record: each role is a field, or several put one after the other."""
        file = self.file
        if self.names is None:
            self.names = _chosen(file, number, row)
            said = {role: tuple(chosen) for role, chosen in self.names.items() if nested(row, chosen[0]) is not None}
            file.note(schema.Schema(file.schema.format, fields=said))
        values = {}
        for index, (role, chosen) in enumerate(self.names.items()):
            found = [jsonl.repaired(nested(row, name)) for name in chosen]
            if None not in found:
                values[role] = formats.together(file, number, role, found, chosen)
            elif index < file.needed:
                missing = chosen[found.index(None)]
                if missing in row and role == "value":  # of a series one may be missing
                    values[role] = None
                    continue
                if missing in row:
                    raise file.error(number, f"the field {missing!r} is null")
                shown = ", ".join(itertools.islice(_paths(row), FIELDS))
                raise file.error(number, f"no field {missing!r} (it has: {shown})", _hint(role))
        return Record(values, row, file.name, number)


def _paths(row: Mapping[str, Any]) -> Iterator[str]:
    """The names of fields, those of an object in one as `nested` takes them."""
    for name, value in row.items():
        yield from (f"{name}.{inner}" for inner in value) if isinstance(value, dict) and value else [name]


def _hint(role: str) -> str:
    return f"name the field that holds the {role} with --{role}-field"


def _chosen(file: File, number: int, row: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the fields of each role: those that the options name, that are remembered, or that are named as usual.

    Raises `DataError` where several are.
    """
    remembered = file.remembered.fields if file.remembered is not None else {}
    claimed = {name for said in file.columns.values() for name in said.split(",")}
    chosen = {}
    for index, role in enumerate(file.roles):
        chosen[role] = [role]
        if role in file.columns:
            chosen[role] = file.columns[role].split(",")
            continue
        if role in remembered and all(nested(row, name) is not None for name in remembered[role]):
            chosen[role] = list(remembered[role])
            continue
        known = [name for name in row if name not in claimed]
        found = [known[place] for place in names.usual(role, known)]
        if index < file.needed and len(found) > 1:
            raise file.error(
                number, f"{', '.join(found)}: which is the {role}?", f"--{role}-field {found[0]}, for example"
            )
        if len(found) == 1:
            chosen[role] = found
        if index < file.needed and not _by_number(remembered.get(role, ())) and found:
            log.warning("%s: no %s, which the corpus before had", file.name, " ".join(remembered[role]))
    return chosen


def _by_number(fields: Iterable[str]) -> bool:
    return all(name.isdigit() for name in fields)


def nested(record: Any, name: str) -> Any:
    """Return the field of a record, `translation.de` being the field de of the object translation; None if missing."""
    if isinstance(record, dict) and name in record:
        return record[name]
    for part in name.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record
