"""The picture of docs/tables.md: all tables are in it, joined by columns that both have."""

import re
from pathlib import Path

from jobrecon.warehouse.schema import list_columns, list_tables

PAGE = (Path(__file__).parents[1] / "docs" / "tables.md").read_text(encoding="utf-8")
PICTURE = re.findall(r"```mermaid\nerDiagram\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
LINE = re.compile(r'    (\w+) [|o}]{2}--[|o{]{2} (\w+) : "([\w, ]+)"')


def test_the_picture_shows_every_table_and_joins_what_can_be_joined() -> None:
    columns = {name: {column for column, *_ in list_columns(model)} for name, model in list_tables().items()}
    shown: set[str] = set()
    for line in PICTURE:
        if match := LINE.fullmatch(line):
            left, right, keys = match.groups()
            shown |= {left, right}
            assert set(keys.split(", ")) <= columns[left] & columns[right], line
        else:
            shown.add(line.strip())
    assert shown == columns.keys()
