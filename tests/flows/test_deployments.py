"""Deployments: every flow, with the documented schedule, one run at a time, without secrets."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.folder import require_folder
from jobrecon.errors import ConfigurationError
from tests.flows.prefect_stack import ROOT, PrefectStack

# The first of them starts Prefect's server.
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]

DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
LIST_FLOWS = """
import importlib, json, pathlib, sys
from prefect import Flow
modules = [importlib.import_module(f"flows.{path.stem}") for path in pathlib.Path(sys.argv[1]).glob("*.py") if path.stem != "__init__"]
print(json.dumps({
    f"{module.__name__}.{name}": value.name
    for module in modules for name, value in vars(module).items()
    if isinstance(value, Flow) and value.fn.__module__ == module.__name__
}))
"""


@pytest.fixture(scope="module")
def flows() -> dict[str, str]:
    """The names of the flows by entry point, listed by a subprocess: importing Prefect configures logging."""
    done = subprocess.run([sys.executable, "-c", LIST_FLOWS, str(ROOT / "flows")], capture_output=True, text=True, check=True, timeout=90)
    return dict(json.loads(done.stdout))


def test_every_flow_is_deployed_under_its_name(flows: dict[str, str]) -> None:
    assert flows == {deployment["entrypoint"]: deployment["name"] for deployment in DEPLOYMENTS}


@pytest.mark.parametrize(("name", "cron"), [("reconcile", "*/10 * * * *"), ("daily-report", "0 6 * * *")])
def test_a_deployment_has_its_schedule_and_runs_one_at_a_time(stack: PrefectStack, name: str, cron: str) -> None:
    deployment = stack.get(f"/deployments/name/{name}/{name}")
    (schedule,) = deployment["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"], schedule["active"]) == (cron, "UTC", True)
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert deployment["work_pool_name"] == "jobrecon"


def test_a_deployment_stores_no_setting_of_ours_and_no_path_of_this_machine(stack: PrefectStack) -> None:
    for deployment in stack.post("/deployments/filter", {}):
        assert deployment["pull_steps"] == [
            {"flows.folder.require_folder": {"directory": "{{ $PROJECT_ROOT }}"}},
            {"prefect.deployments.steps.set_working_directory": {"directory": "{{ $PROJECT_ROOT }}"}},
        ]
        assert deployment["job_variables"] == {
            "env": {"PREFECT_LOGGING_EXTRA_LOGGERS": "jobrecon", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
        }
        assert deployment["parameters"] == {}
        assert str(Path.home()) not in json.dumps(deployment)


@pytest.mark.parametrize("directory", ["", "var", "/no/such/folder"])
def test_a_run_without_a_project_folder_is_refused(directory: str) -> None:
    with pytest.raises(ConfigurationError, match="PROJECT_ROOT"):
        require_folder(directory)


def test_the_documented_automation_for_dead_runs_is_accepted(stack: PrefectStack) -> None:
    text = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8")
    automation = yaml.safe_load(text.split("```yaml\n", 1)[1].split("```", 1)[0])
    # Disabled, so that it does not touch the runs of other tests.
    assert stack.post("/automations/", automation | {"enabled": False})["name"] == "dead-runs"


def test_the_documented_template_of_a_shard_differs_from_the_one_machine_only_in_shard_and_schedule() -> None:
    text = (ROOT / "docs" / "machines.md").read_text(encoding="utf-8")
    template = text.split("<!-- template: shard -->\n```yaml\n", 1)[1].split("```", 1)[0]
    definitions = (ROOT / "prefect.yaml").read_text(encoding="utf-8").split("deployments:\n", 1)[0]
    deployments = {each["name"]: each for each in DEPLOYMENTS}
    for each in yaml.safe_load(f"{definitions}deployments:\n{template}")["deployments"]:
        of_one = deployments[each["name"].removesuffix("-b")]
        assert each["parameters"] == {"shard": "b"}
        assert each["entrypoint"] == of_one["entrypoint"]
        assert {name for name in each if each[name] != of_one[name]} <= {"name", "description", "parameters", "tags", "schedules"}
        assert each.keys() == of_one.keys()
