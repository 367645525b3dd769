"""The folder a worker's runs work in, checked before Prefect enters it."""

from pathlib import Path

from jobrecon.errors import ConfigurationError


def require_folder(directory: str) -> None:
    """A pull step: refuse to run where PROJECT_ROOT is not set.

    Prefect would go on in a temporary folder, and a warehouse at the default `./var` would be gone with the run.
    """
    if not Path(directory).is_absolute() or not Path(directory).is_dir():
        raise ConfigurationError(
            f"PROJECT_ROOT of the worker's environment names no folder by its whole path: {directory!r}. Nothing was changed. "
            "Set it to the folder with applications.toml and var, and start the worker again."
        )
