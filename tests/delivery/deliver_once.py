"""Writes and delivers a report, for a test that kills the process that does."""

import datetime as dt

from jobrecon.delivery.deliver import deliver_report
from jobrecon.reports.report import write_report
from jobrecon.settings import Settings

sent = 0


def main(moment: str) -> None:
    now = dt.datetime.fromisoformat(moment)
    settings = Settings(_env_file=None)
    deliver_report(settings, write_report(settings, now.date(), now), now)
