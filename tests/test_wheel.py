"""The built wheel: one package that neither hides a user's own `flows` and `models` nor is hidden by them."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.debian_root import copy, read_instructions

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, as an installer leaves it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with packages of the same names, which must never be run in place of ours."""
    for name in ("flows", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the package of the project was imported')\n")
    return tmp_path


def run_python(installed: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, check=False, capture_output=True, text=True, timeout=120
    )


def test_the_wheel_installs_one_package(installed: Path) -> None:
    assert sorted(path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")) == ["jobrecon"]


def test_commands_run_ours_where_a_project_has_packages_of_the_same_names(installed: Path, project: Path) -> None:
    done = run_python(installed, project, "-m", "jobrecon", "budget")
    assert "No application is configured" in done.stdout + done.stderr


def test_flows_run_ours_where_a_project_has_packages_of_the_same_names(installed: Path, project: Path) -> None:
    code = "import jobrecon.flows.reconcile as ours; print(ours.reconcile.name, ours.__file__)"
    done = run_python(installed, project, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["reconcile", str(installed / "jobrecon" / "flows" / "reconcile.py")]


def test_what_the_dockerfile_copies_is_all_that_the_same_wheel_is_built_of(installed: Path, tmp_path: Path) -> None:
    instructions = read_instructions((ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8"))
    for name, rest in instructions:
        if name == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            copy([ROOT / source for source in sources], tmp_path / target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    done = subprocess.run(build, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    expected = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names == expected
