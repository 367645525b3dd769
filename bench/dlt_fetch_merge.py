"""The baseline: dlt importing the same tasks, then fetching the status of each, 59 a call, and merging it into DuckDB by task URN.

`python dlt_fetch_merge.py rows|arrow URL TASKS_PARQUET FOLDER`, in an environment of its own (bench/requirements.lock). Either dlt is
given rows as dictionaries, call by call, as its own REST sources give them; or Arrow tables of many calls each, the fastest it takes.
"""

import sys
import time
from pathlib import Path

import dlt
import duckdb
import pyarrow as pa
from dlt.sources.helpers import requests

KIND, URL, TASKS, FOLDER = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
IDS_PER_CALL = 59
CALLS_PER_TABLE = 200
COLUMNS = ("task_urn", "external_job_posting_id", "operation", "requested_at")
STATUS = pa.schema([(name, pa.string()) for name in ("task_urn", "status", "error_message", "job_posting")])


@dlt.resource(name="job_tasks", write_disposition="merge", primary_key="task_urn")
def pending_tasks():
    """What was requested."""
    rows = duckdb.sql(f"select {', '.join(COLUMNS)} from read_parquet('{TASKS}')")
    if KIND == "arrow":
        yield rows.to_arrow_table()
    else:
        while part := rows.fetchmany(10_000):
            yield [dict(zip(COLUMNS, row, strict=True)) for row in part]


@dlt.resource(
    name="task_statuses", write_disposition="merge", primary_key="task_urn", columns={"status": {"data_type": "text"}}, parallelized=True
)
def task_statuses():
    """The status of each. In a table of its own, for a merge of dlt's replaces rows whole."""
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench-secret"}
    token = requests.post(f"{URL}/oauth/v2/accessToken", data=form).json()["access_token"]
    urns = [urn for (urn,) in duckdb.sql(f"select task_urn from read_parquet('{TASKS}')").fetchall()]

    def ask(batch):
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

    @dlt.defer
    def fetch(part):
        rows = [row for start in range(0, len(part), IDS_PER_CALL) for row in ask(part[start : start + IDS_PER_CALL])]
        return pa.Table.from_pylist(rows, STATUS) if KIND == "arrow" else rows

    size = IDS_PER_CALL * (CALLS_PER_TABLE if KIND == "arrow" else 1)
    for start in range(0, len(urns), size):
        yield fetch(urns[start : start + size])


pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.duckdb(str(FOLDER / "dlt.duckdb")), dataset_name="bench", pipelines_dir=str(FOLDER / "pipelines")
)
began = time.monotonic()
pipeline.run(pending_tasks())
imported = time.monotonic()
pipeline.run(task_statuses())
finished = time.monotonic()
counted = "select (select count(external_job_posting_id) from job_tasks), (select count(status) from task_statuses)"
with pipeline.sql_client() as client, client.execute_query(counted) as cursor:
    ((task_count, status_count),) = cursor.fetchall()
assert task_count == status_count > 0, f"{task_count} tasks, but {status_count} statuses"
print(f"import {imported - began:.1f} s, fetch and merge {finished - imported:.1f} s")
