"""The generated parts of the documentation: `python -m docs.check` tells what is out of date, `--write` writes it.

A page keeps its own prose; what stands between `<!-- generated: NAME -->` and `<!-- end -->` comes from the code.
"""

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import typer

from jobrecon.cli.app import app
from jobrecon.cli.settings import write_value
from jobrecon.reconcile.catalog import read_catalog
from jobrecon.sandbox import FaultInjection
from jobrecon.settings import Settings
from jobrecon.warehouse.schema import describe_table, list_columns, list_tables, list_views
from jobrecon.warehouse.statements import list_findings, load_statements
from models import FINDING_KINDS, RESOLUTIONS
from models.finding_terms import AGAIN

FOLDER = Path(__file__).parent
BLOCK = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def write_tables() -> str:
    """Every table and column, from the models."""
    parts = []
    for name, model in list_tables().items():
        parts += [f"## {name}\n", describe_table(model) + "\n", "| column | type | meaning |", "|---|---|---|"]
        parts += [f"| {column} | {type_} | {_cell(text)} |" for column, type_, text in list_columns(model)]
        parts.append("")
    parts += ["## Views\n", "| view | tells |", "|---|---|"]
    parts += [f"| {name} | {_cell(question)} |" for name, (question, _) in list_views().items()]
    return "\n".join(parts) + "\n"


def write_settings() -> str:
    """Every setting, from the class `Settings`."""
    defaults = Settings.model_construct()
    shown = {
        "warehouse": "$JOBRECON_HOME/warehouse.duckdb",
        "published": "$JOBRECON_HOME/published/jobrecon.duckdb",
        "landing_url": "sqlite:///$JOBRECON_HOME/landing.db",
        "reports": "$JOBRECON_HOME/reports",
        "home": "./var",
    }
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = shown.get(name) or write_value(getattr(defaults, name))
        text = f"`{default}`" if default else ""
        lines.append(f"| `JOBRECON_{name.upper()}` | {text} | {_cell(field.description or '')} |")
    return "\n".join(lines) + "\n"


def write_commands() -> str:
    """Every command, from the command line's own help."""
    lines = ["| command | does |", "|---|---|"]
    root = typer.main.get_command(app)
    commands: list[tuple[str, str]] = []

    def walk(command: object, name: str) -> None:
        children = getattr(command, "commands", {})
        for child_name, child in children.items():
            walk(child, f"{name} {child_name}")
        if not children or (getattr(command, "invoke_without_command", False) and name != "jobrecon"):
            commands.append((name, str(getattr(command, "help", "") or "").split("\n\n")[0]))

    walk(root, "jobrecon")
    lines += [f"| `{name}` | {_cell(' '.join(text.split()))} |" for name, text in sorted(commands)]
    return "\n".join(lines) + "\n"


def write_findings() -> str:
    """Every kind of finding, from its definition and the header of its file in sql/findings/kinds/."""
    headers: dict[tuple[str, ...], str] = {}
    for name in list_findings():
        text = load_statements()[name]
        header = " ".join(line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--"))
        headers[tuple(re.findall(r"'(\w+)' as (?:kind|facet)", text))] = header
    lines = ["| kind | facet | shown as | severity | true of |", "|---|---|---|---|---|"]
    lines += [
        f"| {entry.kind} | {entry.facet} | {entry.name} | {entry.severity} | {_cell(headers[entry.kind, entry.facet])} |"
        for entry in FINDING_KINDS
    ]
    return "\n".join(lines) + "\n"


def write_resolutions() -> str:
    """Every way an episode can end, from the kinds."""
    lines = ["| resolution | the finding ended because | kinds |", "|---|---|---|"]
    for name, resolution in RESOLUTIONS.items():
        kinds = dict.fromkeys(str(entry.kind) for entry in FINDING_KINDS if name in entry.resolutions)
        if kinds:
            lines.append(f"| {name} | {resolution.text} | {', '.join(kinds)} |")
    return "\n".join(lines) + "\n"


def write_faults() -> str:
    """Every fault of the sandbox, from the class `FaultInjection` and the texts below its fields."""
    tree = ast.parse(inspect.getsource(FaultInjection))
    (definition,) = tree.body
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    name = ""
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            texts[name] = ""
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts[name], name = " ".join(str(node.value.value).split()), ""
    values = asdict(FaultInjection())
    lines = ["| fault | default | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | `{json.dumps(values[name])}` | {_cell(text)} |" for name, text in texts.items()]
    return "\n".join(lines) + "\n"


def write_words() -> str:
    """What each kind says where LinkedIn gives no reason, and from which age on something else."""
    lines = ["| kind | facet | reason | owner | next action | remedy |", "|---|---|---|---|---|---|"]
    for entry in FINDING_KINDS:
        action, remedy = (
            entry.next_action.replace("{as}", "with the operation that failed"),
            "the operation that failed" if entry.remedy == AGAIN else entry.remedy,
        )
        lines.append(f"| {entry.kind} | {entry.facet} | {_cell(entry.reason)} | {entry.owner} | {_cell(action)} | {remedy} |")
        for later in entry.later:
            since = f"after {later.after.days * 24 if later.after.days < 3 else later.after.days} {'h' if later.after.days < 3 else 'days'}"
            owner, remedy = later.owner or entry.owner, later.remedy or remedy
            lines.append(f"| | {since} | | {owner} | {_cell(later.next_action or action)} | {remedy} |")
    return "\n".join(lines) + "\n"


def write_messages() -> str:
    """What each known message of LinkedIn's becomes, from the error catalog."""
    parts = []
    titles = {"task": "Tasks", "listing": "Listing", "apply": "LinkedIn Apply", "promotion": "Promotion"}
    for source, title in titles.items():
        parts += [f"## {title}\n", "| message | about | reason | owner | next action | remedy |", "|---|---|---|---|---|---|"]
        for row in read_catalog():
            if row["source"] != source:
                continue
            message = " ".join(f"`{text}`" for text in dict.fromkeys((row["code"], row["match"])) if text)
            if not row["match"] and not str(row["code"]).isdigit():
                message = f"{row['code']} (a code of jobrecon's own)"
            if row["after_days"]:
                message += f" after {row['after_days']} days"
            reason = str(row["meaning"]).replace("{fields}", "*the fields that it names*")
            action = str(row["next_action"]).replace("{as}", "with the operation that failed")
            remedy = "the operation that failed" if row["remedy"] == "AGAIN" else row["remedy"]
            owner = f"{row['owner']}" + (" (harmless)" if row["harmless"] else "")
            cells = (message, row["about"], reason, owner, action, remedy)
            parts.append("| " + " | ".join(_cell(str(cell)) for cell in cells) + " |")
        parts.append("")
    return "\n".join(parts)


GENERATED: dict[str, Callable[[], str]] = {
    "tables": write_tables,
    "settings": write_settings,
    "commands": write_commands,
    "findings": write_findings,
    "faults": write_faults,
    "resolutions": write_resolutions,
    "words": write_words,
    "messages": write_messages,
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    is_writing = "--write" in sys.argv[1:]
    stale = []
    for page in sorted(FOLDER.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        fresh = BLOCK.sub(lambda found: f"<!-- generated: {found[1]} -->\n{GENERATED[found[1]]()}<!-- end -->", text)
        if fresh != text:
            stale.append(page.name)
            if is_writing:
                page.write_text(fresh, encoding="utf-8")
    verb = "written" if is_writing else "out of date (run `make docs`)"
    sys.stdout.write(f"docs: {', '.join(stale)} {verb}\n" if stale else "docs: up to date\n")
    return 1 if stale and not is_writing else 0


if __name__ == "__main__":
    sys.exit(main())
