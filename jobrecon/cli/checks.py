"""The doctor's checks: each looks at one thing and says how to mend it."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from jobrecon.applications import Application, Applications
from jobrecon.clock import utc_now
from jobrecon.errors import JobreconError
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox_reader import read_state
from jobrecon.linkedin.client import open_http
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.settings import Settings, load_settings
from jobrecon.warehouse import open_published, open_warehouse

LEAST_FREE_BYTES = 2 * 1024**3
CHALLENGE_HOURS = 5
CLOCK_SECONDS = 60


@dataclass(frozen=True)
class Check:
    """What one check found: OK, WARN or FAIL."""

    name: str
    state: str
    detail: str
    remedy: str = ""


def examine() -> list[Check]:
    """All checks, in the order in which a user would mend things. Raises `ConfigurationError` only for settings that cannot be read."""
    settings = load_settings()
    applications = settings.load_applications()
    checks = [Check("configuration", "OK", f"everything lies in {settings.home}; reports are days of {settings.timezone}")]
    checks += _check_applications(applications, settings)
    for check in (_check_credentials, _check_disk, _check_warehouse, _check_published, _check_landing, _check_webhook, _check_prefect):
        checks += _guarded(check, settings, applications)
    return checks


def _guarded(check: Callable[[Settings, Applications], Iterator[Check]], settings: Settings, applications: Applications) -> list[Check]:
    try:
        return list(check(settings, applications))
    except JobreconError as error:
        return [Check(check.__name__.removeprefix("_check_"), "FAIL", str(error))]


def _check_applications(applications: Applications, settings: Settings) -> Iterator[Check]:
    if not len(applications):
        remedy = "Write one as docs/settings.md shows, or set JOBRECON_CLIENT_ID, JOBRECON_CLIENT_SECRET and JOBRECON_APPLICATION_URN."
        yield Check("applications", "FAIL", f"none is configured ({settings.applications} is absent or names none)", remedy)
    for application in applications:
        try:
            count = len(application.load_secrets())
            yield Check("application", "OK", f"{application.urn} ({application.customer}), {count} secret{'s' if count > 1 else ''}")
        except JobreconError as error:
            yield Check("application", "FAIL", f"{application.urn} ({application.customer}): {error}")


def _check_credentials(settings: Settings, applications: Applications) -> Iterator[Check]:
    """One token request for each application; LinkedIn's own clock comes with the answer."""

    async def ask(application: Application) -> tuple[Check, datetime | None]:
        dates: list[str] = []

        async def note_date(response: httpx.Response) -> None:
            dates.append(response.headers.get("Date", ""))

        async with open_http() as http:
            http.event_hooks = {"response": [note_date]}
            try:
                await TokenCache(application, settings.token_url, engine, http).fetch()
                check = Check("credentials", "OK", f"LinkedIn gives {application.urn} a token")
            except JobreconError as error:
                check = Check("credentials", "FAIL", str(error))
        try:
            return check, parsedate_to_datetime(dates[0]) if dates and dates[0] else None
        except ValueError:
            return check, None

    engine = open_landing(settings.landing_url)
    differences = []
    for application in applications:
        check, told = asyncio.run(ask(application))
        if told:
            differences.append(abs((utc_now() - told.astimezone(UTC)).total_seconds()))
        yield check
    engine.dispose()
    if differences and min(differences) > CLOCK_SECONDS:
        detail = f"this machine's clock is {min(differences):.0f} s away from LinkedIn's"
        yield Check("clock", "FAIL", detail, "Synchronise it (NTP): budgets and the age of tasks depend on it.")
    elif differences:
        yield Check("clock", "OK", "agrees with LinkedIn's")
    else:
        yield Check("clock", "WARN", f"nobody to compare it with; it says {utc_now().isoformat(timespec='seconds')}")


def _check_disk(settings: Settings, _applications: Applications) -> Iterator[Check]:
    place = next(folder for folder in [settings.home.absolute(), *settings.home.absolute().parents] if folder.exists())
    free = shutil.disk_usage(place).free
    warehouse = Path(settings.warehouse)
    # Publishing needs room for a second copy of the warehouse.
    needed = max(LEAST_FREE_BYTES, 2 * warehouse.stat().st_size if warehouse.is_file() else 0)
    is_writable = os.access(place, os.W_OK)
    detail = f"{free / 1024**3:.1f} GiB free at {place}"
    if not is_writable:
        yield Check("disk", "FAIL", f"{place} cannot be written", "Make it writable, or set JOBRECON_HOME.")
    elif free < needed:
        yield Check("disk", "WARN", detail, f"Make room: {needed / 1024**3:.1f} GiB should be free to publish safely.")
    else:
        yield Check("disk", "OK", detail)


def _check_warehouse(settings: Settings, _applications: Applications) -> Iterator[Check]:
    with open_warehouse(settings.model_copy(update={"lock_wait": min(settings.lock_wait, 2)})) as warehouse:
        tasks = warehouse.count("tasks/select_pending_count", as_of=utc_now())
    yield Check("warehouse", "OK", f"can be written; {tasks:,} tasks pending")


def _check_published(settings: Settings, _applications: Applications) -> Iterator[Check]:
    if not settings.published.exists():
        yield Check("published copy", "WARN", f"{settings.published} does not exist yet", "Run `jobrecon run`.")
        return
    with open_published(settings) as warehouse:
        rows = warehouse.read("runs/select_last_run")
    if not rows:
        yield Check("published copy", "WARN", "holds no run yet", "Run `jobrecon run`.")
        return
    age = (utc_now() - rows[0]["as_of"]).total_seconds()
    detail = f"as of {rows[0]['as_of'].isoformat(timespec='seconds')}, last run {rows[0]['state']}"
    is_stale = age > settings.stale_after
    yield Check("published copy", "WARN" if is_stale else "OK", detail, "No run for long: is the deployment scheduled?" if is_stale else "")


def _check_landing(settings: Settings, _applications: Applications) -> Iterator[Check]:
    engine = open_landing(settings.landing_url)
    state = read_state(engine)
    engine.dispose()
    yield Check("landing database", "OK", f"can be reached; {state.unmerged_count:,} notifications wait to be merged")
    if state.quarantined_count:
        detail = f"{state.quarantined_count:,} signed bodies that were not understood"
        yield Check("quarantine", "WARN", detail, "Look at the table quarantine; after a fix run `jobrecon webhook redrive`.")


def _check_webhook(settings: Settings, _applications: Applications) -> Iterator[Check]:
    engine = open_landing(settings.landing_url)
    state = read_state(engine)
    engine.dispose()
    for application_urn, since in state.silences.items():
        if application_urn:
            detail = (
                f"no notification about the jobs of {application_urn} since {since.isoformat(timespec='seconds')}, though its tasks settle"
            )
            yield Check("webhook", "FAIL", detail, "Check in LinkedIn's portal that the webhook is registered for it and not blocked.")
    if state.last_challenged_at is None:
        yield Check(
            "webhook",
            "WARN",
            "LinkedIn has never challenged it",
            "Serve `jobrecon webhook` at a public HTTPS address and register that with LinkedIn.",
        )
        return
    hours = (utc_now() - state.last_challenged_at).total_seconds() / 3600
    detail = f"LinkedIn last challenged it {hours:.1f} h ago ({state.last_challenged_at.isoformat(timespec='seconds')})"
    if hours > CHALLENGE_HOURS:
        remedy = "LinkedIn asks every 2 hours and blocks after three misses: check that the address is reachable, then register it again."
        yield Check("webhook", "FAIL", detail, remedy)
    else:
        yield Check("webhook", "OK", detail)


def _check_prefect(settings: Settings, _applications: Applications) -> Iterator[Check]:
    url = settings.environment.get("PREFECT_API_URL", "")
    if not url:
        yield Check("Prefect API", "WARN", "PREFECT_API_URL is not set", "Schedules need a Prefect server: docs/prefect.md.")
        return
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=5)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Check(
            "Prefect API", "FAIL", f"does not answer ({type(error).__name__})", "Start the Prefect server, or correct PREFECT_API_URL."
        )
        return
    is_well = answer.status_code == 200
    yield Check(
        "Prefect API", "OK" if is_well else "FAIL", f"answers HTTP {answer.status_code}", "" if is_well else "Look at the server's log."
    )
