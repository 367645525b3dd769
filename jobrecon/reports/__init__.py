"""The daily report: what is wrong, who has to act and how, in files that a person opens."""

from jobrecon.reports.report import ReportResult, was_incomplete, write_report

__all__ = ["ReportResult", "was_incomplete", "write_report"]
