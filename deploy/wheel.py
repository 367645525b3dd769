"""The wheel holds one package: `models/`, `flows/` and `sql/` lie inside `jobrecon/` there.

Top-level packages of such common names would hide, or be hidden by, a user's own. In a checkout they stay at the top, where they
are read; the imports are rewritten while the wheel is built.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INNER = ("models", "flows")
IMPORT = re.compile(r"^(\s*)(from|import) (models|flows)\b", re.MULTILINE)
NAME = re.compile(r"(?<=[\"' ])(flows\.\w+(?:\.\w+)*)")


def rewrite(source: str) -> str:
    """Python source or configuration as it stands in the wheel: what names `models` or `flows` names them inside `jobrecon`."""
    return NAME.sub(r"jobrecon.\1", IMPORT.sub(r"\1\2 jobrecon.\3", source))


class WheelLayout(BuildHookInterface[Any]):
    """Lays out the wheel; an editable install uses the checkout as it is."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        root = Path(self.root)
        self._folder = Path(tempfile.mkdtemp(prefix="wheel-"))
        package = self._folder / "jobrecon"
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / "jobrecon", package, ignore=skip)
        for name in (*INNER, "sql"):
            shutil.copytree(root / name, package / name, ignore=skip)
        shutil.copy(root / "prefect.yaml", package / "cli" / "project")
        for path in [*package.rglob("*.py"), *package.rglob("*.yaml")]:
            path.write_text(rewrite(path.read_text(encoding="utf-8")), encoding="utf-8")
        build_data["force_include"][str(package)] = "jobrecon"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - as hatchling calls it
        if version == "standard":
            shutil.rmtree(self._folder)
