"""A job's story: everything known about it in order of time, where it stands and what to do next."""

from typing import Any

from jobrecon.errors import JobreconError
from jobrecon.warehouse import Warehouse


class UnknownJob(JobreconError):
    """Nothing is known of a job."""


def read_timeline(warehouse: Warehouse, job: str, application_urn: str | None = None) -> list[dict[str, Any]]:
    """One story per application that has a job of this id. Raises `UnknownJob` where none has."""
    # Bytes of a command line that are no UTF-8 come as surrogates, which DuckDB does not take.
    job = job.encode(errors="surrogateescape").decode(errors="replace")
    asked: dict[str, Any] = {"job": job, "application_urn": application_urn}
    as_of = warehouse.run("timeline/select_as_of")[0][0]
    jobs = warehouse.read("timeline/select_jobs", **asked)
    if not jobs:
        raise UnknownJob(
            f"Nothing is known of the job {job!r} as of {as_of.isoformat(timespec='seconds') if as_of else 'now'}: no task, no notification. "
            "Check the id (upper and lower case count); if it was requested since, import its tasks and run `jobrecon run`."
        )
    events = warehouse.read("timeline/select_events", **asked)
    findings = warehouse.read("timeline/select_open_findings", **asked)
    stories = []
    for posting in jobs:
        urn = posting["application_urn"]
        own = [
            {name: value for name, value in finding.items() if name != "application_urn"}
            for finding in findings
            if finding["application_urn"] == urn
        ]
        stories.append(
            {
                "external_job_posting_id": job,
                "application_urn": urn,
                "as_of": as_of,
                "now": posting,
                "events": [
                    {name: value for name, value in event.items() if name != "application_urn"}
                    for event in events
                    if event["application_urn"] == urn
                ],
                "open_findings": own,
                "next_actions": list(dict.fromkeys(finding["next_action"] for finding in own)),
            }
        )
    return stories
