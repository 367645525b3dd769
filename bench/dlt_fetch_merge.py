"""The baseline: dlt fetching the status of the same tasks, 59 a call, and merging it into DuckDB by task URN.

Runs in an environment of its own (bench/requirements.lock): `python dlt_fetch_merge.py URL TASKS_PARQUET FOLDER`.
"""

import sys
import time
from pathlib import Path

import dlt
import duckdb
from dlt.sources.helpers import requests

URL, TASKS, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
IDS_PER_CALL = 59


@dlt.resource(name="job_tasks", write_disposition="merge", primary_key="task_urn")
def pending_tasks():
    """What was requested, so that there is something to merge into."""
    rows = duckdb.sql(f"select task_urn, external_job_posting_id, operation, requested_at from read_parquet('{TASKS}')")
    while part := rows.fetchmany(10_000):
        yield [dict(zip(rows.columns, row, strict=True)) for row in part]


@dlt.resource(
    name="job_tasks", write_disposition="merge", primary_key="task_urn", columns={"status": {"data_type": "text"}}, parallelized=True
)
def task_statuses():
    """The status of each, fetched 59 a call."""
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench-secret"}
    token = requests.post(f"{URL}/oauth/v2/accessToken", data=form).json()["access_token"]
    urns = [urn for (urn,) in duckdb.sql(f"select task_urn from read_parquet('{TASKS}')").fetchall()]

    @dlt.defer
    def fetch(batch):
        answer = requests.get(
            f"{URL}/v2/simpleJobPostingTasks?" + "&".join(f"ids={urn}" for urn in batch), headers={"Authorization": f"Bearer {token}"}
        )
        return [
            {
                "task_urn": urn,
                "status": result["status"],
                "error_message": result.get("errorMessage"),
                "job_posting": result.get("jobPosting"),
            }
            for urn, result in answer.json()["results"].items()
        ]

    for start in range(0, len(urns), IDS_PER_CALL):
        yield fetch(urns[start : start + IDS_PER_CALL])


pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.duckdb(str(FOLDER / "dlt.duckdb")), dataset_name="bench", pipelines_dir=str(FOLDER / "pipelines")
)
began = time.monotonic()
pipeline.run(pending_tasks())
imported = time.monotonic()
pipeline.run(task_statuses())
finished = time.monotonic()
with pipeline.sql_client() as client, client.execute_query("select count(*), count(status) from job_tasks") as cursor:
    print(cursor.fetchall())
print(f"import {imported - began:.1f} s, fetch and merge {finished - imported:.1f} s")
