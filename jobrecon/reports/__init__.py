"""The daily report: what is wrong, who has to act and how, in files that a person opens."""

from jobrecon.reports.report import ReportResult, write_report

__all__ = ["ReportResult", "write_report"]
