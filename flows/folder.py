"""The working directory of a worker's runs, checked before Prefect changes to it."""

from pathlib import Path

from jobrecon.errors import ConfigurationError


def require_folder(directory: str) -> None:
    """A pull step: fail where PROJECT_ROOT is not set.

    Prefect would run in a temporary folder, and a warehouse at the default `./var` would be deleted with it.
    """
    if not Path(directory).is_absolute() or not Path(directory).is_dir():
        raise ConfigurationError(
            f"PROJECT_ROOT of the worker's environment is no absolute path of a folder: {directory!r}. Nothing was changed. "
            "Set it to the folder with applications.toml and var, and start the worker again."
        )
