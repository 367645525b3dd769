"""The progress of polling as an artifact."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.prefect_stack import PrefectStack

# The first test starts Prefect's server.
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]

UPDATES = """
import asyncio
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from flows.artifacts import Progress

async def main():
    progress = Progress()
    async with get_client() as client:

        async def read():
            polling = ArtifactFilter(key=ArtifactFilterKey(any_=["polling"]))
            return (await client.read_artifacts(artifact_filter=polling, sort=ArtifactSort.CREATED_DESC))[0].data

        await progress.update(0)
        print(await read())
        progress.advance(0.5)
        progress.advance(0.7)
        while (updated := await read()) == 0:
            await asyncio.sleep(0.05)
        print(updated)
        progress.advance(0.8)
        await progress.end()
        print(await read())

asyncio.run(flow(main)())
"""


def test_progress_is_updated_skips_updates_that_come_too_fast_and_ends_at_100(stack: PrefectStack, tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "JOBRECON_"))}
    environment = inherited | {"PREFECT_API_URL": str(stack.api.base_url).rstrip("/"), "PREFECT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", UPDATES], text=True, env=environment, capture_output=True, timeout=150, check=False)
    assert done.stdout.split() == ["0", "50", "100"], done.stderr
