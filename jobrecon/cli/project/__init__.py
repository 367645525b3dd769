"""What a deployment needs: the files that `jobrecon init` writes, from the templates beside this module."""

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

from jobrecon import __version__
from jobrecon.errors import ConfigurationError

TEMPLATES = Path(__file__).parent
PRIVATE = {".env": 0o600}


@dataclass(frozen=True)
class WrittenFile:
    """A file of the project. `is_new`: it was not there before."""

    path: Path
    is_new: bool


def write_project(folder: Path) -> list[WrittenFile]:
    """Write every file that does not exist yet. Raises `ConfigurationError` where the folder cannot be written."""
    values = {
        "@DIRECTORY@": str(folder.resolve()),
        "@PROGRAMS@": str(Path(sys.executable).parent),
        "@USER@": getpass.getuser(),
        "@VERSION@": __version__,
    }
    written = []
    try:
        for name, template in list_templates().items():
            text = template.read_text(encoding="utf-8")
            for placeholder, value in values.items():
                text = text.replace(placeholder, value)
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(WrittenFile(path, _write_new(path, text, PRIVATE.get(name, 0o666))))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"{folder} cannot be written: {reason}. No file that was there has changed. Choose another folder."
        ) from None
    return written


def list_templates() -> dict[str, Path]:
    """The templates by the name of the file that is made of each."""
    found = {
        path.relative_to(TEMPLATES).as_posix(): path for path in sorted(TEMPLATES.rglob("*")) if path.suffix not in ("", ".py", ".pyc")
    }
    # A checkout has the deployments at its top, where `prefect deploy` looks for them; a wheel has them here.
    checkout = TEMPLATES.parents[2] / "prefect.yaml"
    return {".env": TEMPLATES / "env", "prefect.yaml": checkout if checkout.is_file() else TEMPLATES / "prefect.yaml"} | found


def _write_new(path: Path, text: str, mode: int) -> bool:
    try:
        path.touch(mode=mode, exist_ok=False)
    except FileExistsError:
        return False
    path.write_text(text, encoding="utf-8")
    return True
