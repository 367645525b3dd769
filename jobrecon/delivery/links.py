"""Where a reader opens a report, once `JOBRECON_REPORT_URL` says where its folders are served."""

import datetime as dt

from jobrecon.settings import Settings


def link_page(settings: Settings, date: dt.date, name: str = "index", finding_id: str | None = None) -> str | None:
    """The address of a page, or of a finding on it; None where reports are not served."""
    if not settings.report_url:
        return None
    anchor = f"#finding-{finding_id}" if finding_id else ""
    return f"{settings.report_url.rstrip('/')}/{date.isoformat()}/{name}.html{anchor}"
