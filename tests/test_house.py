"""House rules: imports go one way, every statement is used, everything a user meets is documented."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from jobrecon.settings import Settings
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.schema import list_columns, list_tables
from jobrecon.warehouse.statements import list_findings, load_statements
from models import BY_KIND_AND_FACET, FINDING_KINDS, Kind, Severity

ROOT = Path(__file__).parent.parent
ROOMS = {"models": set(), "jobrecon": {"models"}, "flows": {"jobrecon", "models"}}
OURS = set(ROOMS)


def list_imports(path: Path) -> set[str]:
    imports = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports.add(node.module)
    return imports


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        reached = {name.split(".")[0] for name in list_imports(path)} & OURS
        assert reached <= ROOMS[room] | {room}, path


def test_the_rooms_of_jobrecon_import_each_other_without_a_cycle() -> None:
    package = ROOT / "jobrecon"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    reached = {
        room: {name.split(".")[1] for path in (package / room).rglob("*.py") for name in list_imports(path) if name.startswith("jobrecon.")}
        & rooms - {room}
        for room in rooms
    }
    order = list(TopologicalSorter(reached).static_order())
    assert set(order) == rooms


def test_only_what_every_room_needs_lies_at_the_root_of_jobrecon() -> None:
    modules = {path.stem for path in (ROOT / "jobrecon").glob("*.py")}
    assert modules == {"__init__", "__main__", "applications", "clock", "errors", "secrets", "settings"}


def test_the_sandbox_imports_nothing_of_ours_but_models() -> None:
    for path in (ROOT / "jobrecon" / "sandbox").rglob("*.py"):
        for name in list_imports(path):
            assert not name.startswith(("jobrecon", "flows")) or name.startswith("jobrecon.sandbox"), (path, name)


def test_only_the_flows_import_prefect() -> None:
    for room in ("models", "jobrecon"):
        for path in (ROOT / room).rglob("*.py"):
            assert not any(name.split(".")[0] == "prefect" for name in list_imports(path)), path


def test_every_statement_is_used_and_every_name_of_a_statement_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for room in OURS for path in (ROOT / room).rglob("*.py"))
    named = set(
        re.findall(r'"((?:checks|findings|notifications|polling|postings|reports|runs|tasks|timeline|touched|verify)/[a-z_]+)"', code)
    )
    statements = set(load_statements())
    assert named <= statements
    views = {name for name in statements if name.startswith("views/")}
    assert statements - set(list_findings()) - views <= named


def test_every_statement_says_what_it_is_for() -> None:
    for name, text in load_statements().items():
        assert re.match(r"-- [A-Z].{20,}", text), name


def test_every_kind_and_facet_of_the_sql_has_its_definition_and_every_definition_its_sql() -> None:
    found = [tuple(re.findall(r"'(\w+)' as (?:kind|facet)", load_statements()[name])) for name in list_findings()]
    assert sorted(found) == sorted(BY_KIND_AND_FACET)
    assert {kind for kind, _ in found} == set(Kind)


def test_every_kind_of_finding_has_a_table_of_cases() -> None:
    cases = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "findings").glob("test_*.py"))
    assert all(re.search(rf'"{entry.kind}", "{entry.facet}"|kind="{entry.kind}"', cases) for entry in FINDING_KINDS)


def test_the_order_of_severities_in_sql_is_that_of_the_models() -> None:
    with connect() as connection:
        ranks = [rank for level in Severity for (rank,) in connection.execute("select severity_rank(?)", [level.value]).fetchall()]
    assert ranks == sorted(ranks)


def test_every_table_and_column_says_what_it_means() -> None:
    for model in list_tables().values():
        assert model.__doc__
        for name, _, description in list_columns(model):
            assert description, f"{model.__name__}.{name}"


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_generated_documentation_is_up_to_date() -> None:
    result = subprocess.run([sys.executable, "-m", "docs.check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_kind_is_explained() -> None:
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert all(f"| {kind.value} |" in page for kind in Kind)


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page.name, target)


def test_the_files_that_the_pages_for_contributors_name_exist() -> None:
    known = "\n".join(f"/{path.relative_to(ROOT)}" for room in (*OURS, "sql", "tests") for path in (ROOT / room).rglob("*.*")) + "\n"
    for page in (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"):
        for name in re.findall(r"`([\w/]+\.(?:py|sql|csv|html))`", page.read_text(encoding="utf-8")):
            assert f"/{name}\n" in known, (page.name, name)


def test_the_readme_opens_with_the_two_commands() -> None:
    start = (ROOT / "README.md").read_text(encoding="utf-8")[:1200]
    assert start.index("make demo") < start.index("make test")


def test_locks_name_no_place_to_fetch_from() -> None:
    for lock in [ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / "bench" / "requirements.lock"]:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=" in text


PRIVATE_WORDS = re.compile(
    r"\b(told|untold|stand-?ins?|stands? in for|stood in|catalogues?|canonis\w+|upkeep|mischief|dice|share_cores|in_plain_words"
    r"|TokenKeeper|NotAnAnswer|NotUnderstood|ReadBody|lesser notes|answer lost)\b",
    re.IGNORECASE,
)
PRIVATE_NAMES = {"answer", "answers", "ask", "asked", "asking", "told", "story", "desk", "mischief", "dice"}


def test_words_and_names_are_the_fields() -> None:
    """LinkedIn's own texts are quoted as they come, and what people script against stays."""
    paths = [path for room in (*OURS, "tests", "bench", "docs") for path in (ROOT / room).rglob("*.*")]
    for path in [*paths, *(ROOT / "sql").rglob("*.sql"), *ROOT.glob("*.md")]:
        if path.suffix not in (".py", ".sql", ".md", ".html") or path.name in ("CHANGELOG.md", "test_house.py"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not (found := PRIVATE_WORDS.search(text)), (path, found)
        if path.suffix == ".py":
            nodes = list(ast.walk(ast.parse(text)))
            names = {node.id for node in nodes if isinstance(node, ast.Name)} | {node.arg for node in nodes if isinstance(node, ast.arg)}
            names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert not names & PRIVATE_NAMES, (path, names & PRIVATE_NAMES)


def test_files_stay_small() -> None:
    for room in OURS:
        for path in (ROOT / room).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 330, path
