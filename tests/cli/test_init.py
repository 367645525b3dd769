"""`jobrecon init`: what a deployment needs, and nothing that was there is changed."""

import re
import stat
from pathlib import Path

import yaml

from bench.cluster.compose import Compose
from jobrecon.applications import read_applications
from jobrecon.cli.project import list_templates
from jobrecon.settings import Settings
from jobrecon.warehouse.lake import read_lake_address
from tests.cli.conftest import User

ROOT = Path(__file__).parents[2]
NAMES = [
    ".env",
    "applications.toml",
    "automations/dead-runs.yaml",
    "compose.cluster.yaml",
    "compose.yaml",
    "prefect.yaml",
    "systemd/jobrecon-prefect.service",
    "systemd/jobrecon-webhook.service",
    "systemd/jobrecon-worker.service",
]


def list_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_file_is_written_with_the_folder_filled_in_and_the_next_steps_are_printed(user: User) -> None:
    folder = user.folder / "project"
    finished = user.run("init", folder)
    assert finished.returncode == 0, finished.stderr
    assert list_files(folder) == NAMES
    assert [line for line in finished.stdout.splitlines() if line.startswith("written")] == [
        f"written    {folder / name}" for name in list_templates()
    ]
    assert "  1. " in finished.stdout
    assert "  3. " in finished.stdout
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    for name in NAMES:
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"@[A-Z]+@", text), name
        if name.startswith("systemd/"):
            assert f"WorkingDirectory={folder}\n" in text
        if name.endswith(".yaml"):
            assert yaml.safe_load(text)["name"]


def test_files_that_exist_stay_as_they_are(user: User) -> None:
    (user.folder / "applications.toml").write_text("# mine\n", encoding="utf-8")
    finished = user.run("init", user.folder)
    assert "unchanged  " + str(user.folder / "applications.toml") in finished.stdout
    assert (user.folder / "applications.toml").read_text(encoding="utf-8") == "# mine\n"
    again = user.run("init", user.folder)
    assert again.stdout.count("unchanged  ") == len(NAMES)


def test_the_applications_are_an_example_that_is_valid_without_its_comment_marks(user: User) -> None:
    user.run("init", user.folder)
    path = user.folder / "applications.toml"
    assert len(read_applications(path, 1, {})) == 0
    path.write_text(re.sub(r"^# (?=\[|\w+ = )", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    applications = read_applications(path, 1, {})
    assert [application.customer for application in applications] == ["Acme"]
    assert applications.parent is not None


def test_the_settings_in_the_dotenv_file_are_known_and_valid(user: User) -> None:
    user.run("init", user.folder)
    for name in [name for name in user.environment if name.startswith("JOBRECON_")]:
        del user.environment[name]
    finished = user.run("budget")
    assert finished.returncode == 2
    assert "No application is configured" in finished.stderr


def test_a_folder_that_cannot_be_written_is_2(user: User) -> None:
    (user.folder / "file").touch()
    finished = user.run("init", "file/project")
    assert finished.returncode == 2
    assert "cannot be written" in finished.stderr


def test_the_automations_are_those_of_the_documentation() -> None:
    documented = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8")
    for name, path in list_templates().items():
        if name.startswith("automations/"):
            assert path.read_text(encoding="utf-8") in documented, name


def test_the_compose_file_of_several_machines_has_the_services_and_settings_that_are_documented(tmp_path: Path) -> None:
    template = list_templates()["compose.cluster.yaml"].read_text(encoding="utf-8")
    services = yaml.safe_load(template)["services"]
    assert sorted(services) == [
        "bucket", "deployments", "postgres", "prefect", "s3", "webhook-1", "webhook-2", "worker-1", "worker-2",
    ]  # fmt: skip
    for name, service in services.items():
        assert service.get("depends_on", {}).keys() <= services.keys() if isinstance(service.get("depends_on"), dict) else True, name
    ours = {name: service["environment"] for name, service in services.items() if name.startswith(("worker", "webhook"))}
    homes = [environment.pop("JOBRECON_HOME") for environment in ours.values()]
    assert len(set(homes)) == len(homes), "two machines share a home"
    for name in ("worker-1", "worker-2"):
        assert ours[name].pop("PROJECT_ROOT") == services[name]["working_dir"]
    settings, *others = ours.values()
    assert all(other == settings for other in others), "machines differ in more than their homes"
    # A wrong setting would be named by pydantic, and a lake's address without what it needs by its reader.
    values = {name.removeprefix("JOBRECON_").lower(): value for name, value in settings.items() if name.startswith("JOBRECON_")}
    assert values.keys() <= Settings.model_fields.keys()
    loaded = Settings(_env_file=None, **values)
    shards = [read_lake_address(loaded.warehouse, shard) for shard in ("", "b")]
    assert [(lake.schema, lake.data_path) for lake in shards] == [
        ("jobrecon", "s3://lake/jobrecon/"),
        ("jobrecon_b", "s3://lake/jobrecon-b/"),
    ]
    databases = yaml.safe_load(template)["configs"]["databases"]["content"]
    assert {f"create database {name};" for name in ("lake", "prefect")} <= set(databases.splitlines())


def test_make_cluster_takes_commands_and_settings_from_that_compose_file(tmp_path: Path) -> None:
    compose = Compose("postgresql://postgres:@/postgres?host=/tmp/pg", tmp_path)
    compose.place("prefect", 4201)
    compose.place("s3", 9001)
    for name in ("worker-1", "webhook-2", "deployments"):
        written, local = compose.services[name]["environment"], compose.environment(name)
        assert written.keys() == local.keys()
        assert not [value for value in local.values() if "postgres/" in value or "//s3" in value or "//prefect" in value or "${" in value]
    local = compose.environment("worker-2")
    assert local["JOBRECON_LANDING_URL"] == "postgresql+psycopg://postgres:@/landing?host=/tmp/pg"
    assert local["JOBRECON_HOME"] == str(tmp_path / "shared" / "worker-2")
    assert local["PREFECT_API_URL"] == "http://127.0.0.1:4201/api"
    assert read_lake_address(local["JOBRECON_WAREHOUSE"], "b").database == "postgresql://postgres:@/lake?host=/tmp/pg"
    assert compose.command("webhook-1", 8123) == ["jobrecon", "webhook", "--host", "127.0.0.1", "--port", "8123"]
