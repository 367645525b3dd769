"""Pages of docs/ with measured blocks: figures, with the machine and the day."""

import os
import platform
import re
from datetime import date
from pathlib import Path


def write_block(page: Path, name: str, text: str, more: str = "") -> None:
    """Replace the measured block `name` of a page."""
    content = page.read_text(encoding="utf-8")
    machine = f"{date.today().isoformat()}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}{more}"  # noqa: DTZ011
    block = f"<!-- measured: {name} -->\n*{machine}*\n\n{text}\n<!-- end -->"
    content, replaced = re.subn(rf"<!-- measured: {name} -->\n.*?<!-- end -->", lambda _: block, content, flags=re.DOTALL)
    if not replaced:
        raise RuntimeError(f"{page} has no block {name}")
    page.write_text(content, encoding="utf-8")
