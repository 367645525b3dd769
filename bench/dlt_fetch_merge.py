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
RESULT_FIELDS = ("status", "errorMessage", "jobPosting")


def read_tasks(size):
    """What was requested, in parts of so many tasks."""
    rows = duckdb.sql(f"select {', '.join(COLUMNS)} from read_parquet('{TASKS}')")
    if KIND == "arrow":
        yield from map(pa.Table.from_batches, ([batch] for batch in rows.to_arrow_reader(size)))
    else:
        while part := rows.fetchmany(size):
            yield [dict(zip(COLUMNS, row, strict=True)) for row in part]


@dlt.resource(name="job_tasks", write_disposition="merge", primary_key="task_urn")
def pending_tasks():
    """What was requested, so that there is something to merge into."""
    yield from read_tasks(100_000 if KIND == "arrow" else 10_000)


@dlt.resource(
    name="job_tasks", write_disposition="merge", primary_key="task_urn", columns={"status": {"data_type": "text"}}, parallelized=True
)
def task_statuses():
    """The tasks with the status of each. A merge of dlt's replaces rows whole, so whole rows are merged."""
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench-secret"}
    token = requests.post(f"{URL}/oauth/v2/accessToken", data=form).json()["access_token"]

    def fetch_results(urns):
        response = requests.get(
            f"{URL}/v2/simpleJobPostingTasks?" + "&".join(f"ids={urn}" for urn in urns), headers={"Authorization": f"Bearer {token}"}
        )
        return response.json()["results"]

    @dlt.defer
    def fetch(part):
        if KIND == "rows":
            results = fetch_results([row["task_urn"] for row in part])
            return [row | {name: results[row["task_urn"]].get(name) for name in RESULT_FIELDS} for row in part]
        urns = part.column("task_urn").to_pylist()
        results = {}
        for start in range(0, len(urns), IDS_PER_CALL):
            results |= fetch_results(urns[start : start + IDS_PER_CALL])
        for name in RESULT_FIELDS:
            part = part.append_column(name, pa.array([results[urn].get(name) for urn in urns], pa.string()))
        return part

    yield from map(fetch, read_tasks(IDS_PER_CALL * (CALLS_PER_TABLE if KIND == "arrow" else 1)))


pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.duckdb(str(FOLDER / "dlt.duckdb")), dataset_name="bench", pipelines_dir=str(FOLDER / "pipelines")
)
began = time.monotonic()
pipeline.run(pending_tasks())
imported = time.monotonic()
pipeline.run(task_statuses())
finished = time.monotonic()
counted = "select count(external_job_posting_id), count(status) from job_tasks"
with pipeline.sql_client() as client, client.execute_query(counted) as cursor:
    ((task_count, status_count),) = cursor.fetchall()
assert task_count == status_count > 0, f"{task_count} tasks, but {status_count} statuses"
print(f"import {imported - began:.1f} s, fetch and merge {finished - imported:.1f} s")
