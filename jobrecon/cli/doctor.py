"""The checks of `jobrecon doctor`: each examines one thing and says how to fix it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from sqlalchemy import Engine

from jobrecon.applications import Application, Applications
from jobrecon.cli.store_checks import (
    MAX_CLOCK_DIFFERENCE_SECONDS,
    Check,
    check_disk,
    check_joined,
    check_landing,
    check_published,
    check_warehouse,
)
from jobrecon.clock import utc_now
from jobrecon.delivery.addresses import find_invalid_addresses
from jobrecon.delivery.smtp import SmtpSession, read_server
from jobrecon.demo.guard import ENDED_API_URL, find_demo_file
from jobrecon.errors import JobreconError
from jobrecon.ingest.source import check_source, is_source_set
from jobrecon.landing.database import using_landing
from jobrecon.landing.inbox_reader import read_state
from jobrecon.linkedin.developer_webhooks import fetch_blocked_webhooks
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.settings import Settings, load_settings

MAX_CHALLENGE_AGE_HOURS = 5


def run_checks(shard: str | None = None) -> list[Check]:
    """All checks, in the order in which a user would fix things. Raises `ConfigurationError` only for unreadable settings.

    Of several shards every one is checked, unless `shard` or JOBRECON_SHARD names one.
    """
    settings = load_settings(shard=shard)
    applications = settings.load_applications()
    names = applications.shards
    checks = [Check("configuration", "OK", f"home folder {settings.home}; days of reports are those of {settings.timezone}")]
    if is_sharded := len(names) > 1:
        listed = ", ".join(name or "default" for name in names)
        if shard or settings.shard:
            applications = settings.load_shard()
            names = [settings.shard]
            detail = f"only {_name_shard(settings.shard)} of {listed}; without --shard and JOBRECON_SHARD all are checked"
        else:
            detail = f"all are checked: {listed}; --shard checks one"
        checks.append(Check("shards", "OK", detail))
    shards = {name: load_settings(shard=name or "default") for name in names}
    for name, check in CHECKS.items():
        for each, own in shards.items() if is_sharded and name in CHECKED_BY_SHARD else [("", settings)]:
            label = f"{_name_shard(each)}: " if is_sharded and name in CHECKED_BY_SHARD else ""
            try:
                checks += [replace(found, detail=label + found.detail) for found in check(own, applications)]
            except JobreconError as error:
                checks.append(Check(name, "FAIL", label + str(error)))
    return checks


def _name_shard(name: str) -> str:
    return f"shard {name}" if name else "the default shard"


def _check_home(settings: Settings, _applications: Applications) -> Iterator[Check]:
    if find_demo_file(settings.home):
        detail = f"{settings.home} is a demo's home: its jobs are invented, and nothing can be run in it"
        yield Check("home", "WARN", detail, "Set JOBRECON_HOME to a folder for your own jobs.")


def _check_applications(settings: Settings, applications: Applications) -> Iterator[Check]:
    if not len(applications):
        remedy = "Write it as docs/settings.md shows, or set JOBRECON_CLIENT_ID, JOBRECON_CLIENT_SECRET and JOBRECON_APPLICATION_URN."
        yield Check("applications", "FAIL", f"none is configured ({settings.applications} is missing or has none)", remedy)
    for application in applications:
        try:
            count = len(application.load_secrets())
            yield Check("application", "OK", f"{application.urn} ({application.customer}), {count} secret{'s' if count > 1 else ''}")
        except JobreconError as error:
            yield Check("application", "FAIL", f"{application.urn} ({application.customer}): {error}")


def _check_credentials(settings: Settings, applications: Applications) -> Iterator[Check]:
    """One token request per application; the response carries LinkedIn's own time."""
    if settings.api_url == ENDED_API_URL:
        yield Check("credentials", "WARN", "not checked: the demo's fake LinkedIn has ended")
        return

    async def request_token(application: Application, engine: Engine) -> tuple[Check, datetime | None]:
        dates: list[str] = []

        async def record_date(response: httpx.Response) -> None:
            dates.append(response.headers.get("Date", ""))

        async with HttpClient() as http:
            http.event_hooks = {"response": [record_date]}
            try:
                await TokenCache(application, settings.token_url, engine, http).fetch()
                check = Check("credentials", "OK", f"LinkedIn issues a token for {application.urn}")
            except JobreconError as error:
                check = Check("credentials", "FAIL", str(error))
        try:
            return check, parsedate_to_datetime(dates[0]) if dates and dates[0] else None
        except ValueError:
            return check, None

    differences = []
    with using_landing(settings.landing_url) as engine:
        for application in applications:
            check, server_time = asyncio.run(request_token(application, engine))
            if server_time:
                differences.append(abs((utc_now() - server_time.astimezone(UTC)).total_seconds()))
            yield check
    if differences and min(differences) > MAX_CLOCK_DIFFERENCE_SECONDS:
        detail = f"this machine's clock is {min(differences):.0f} s away from LinkedIn's"
        yield Check("clock", "FAIL", detail, "Synchronise it (NTP): budgets and the age of tasks depend on it.")
    elif differences:
        yield Check("clock", "OK", "agrees with LinkedIn's")
    else:
        yield Check("clock", "WARN", f"could not be compared with LinkedIn's; it is {utc_now().isoformat(timespec='seconds')}")


def _check_webhook(settings: Settings, _applications: Applications) -> Iterator[Check]:
    with using_landing(settings.landing_url) as engine:
        state = read_state(engine)
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
    if hours > MAX_CHALLENGE_AGE_HOURS:
        remedy = "LinkedIn challenges every 2 hours and blocks the webhook after three failures: check that the address is reachable, then register it again."
        yield Check("webhook", "FAIL", detail, remedy)
    else:
        yield Check("webhook", "OK", detail)


def _check_blocked(settings: Settings, applications: Applications) -> Iterator[Check]:
    """The webhooks from LinkedIn's side, which only the parent application may see."""
    if applications.parent is None or not applications.parent.client_id or settings.api_url == ENDED_API_URL:
        return

    async def fetch(engine: Engine) -> list[str] | None:
        async with HttpClient() as http:
            return await fetch_blocked_webhooks(applications.parent, settings, engine, http)

    with using_landing(settings.landing_url) as engine:
        blocked = asyncio.run(fetch(engine))
    if blocked is None:
        yield Check("webhook at LinkedIn", "WARN", "LinkedIn does not show it: the [parent] application has no access, or no token")
    elif blocked:
        remedy = "Make the address reachable, then validate the webhook again by the button in LinkedIn's developer portal."
        yield Check("webhook at LinkedIn", "FAIL", f"LinkedIn has blocked {', '.join(blocked)} and sends nothing to it", remedy)
    else:
        yield Check("webhook at LinkedIn", "OK", "not blocked")


def _check_source(settings: Settings, _applications: Applications) -> Iterator[Check]:
    if is_source_set(settings):
        columns = check_source(settings, utc_now())
        yield Check("task source", "OK", f"the query runs, with the columns {', '.join(columns)}")


def _check_mail(settings: Settings, applications: Applications) -> Iterator[Check]:
    for place in find_invalid_addresses(settings.mail_from, settings.mail_to, applications):
        yield Check("mail addresses", "FAIL", f"no mail address: {place}", "Correct it: nobody gets a mail there.")
    server = read_server(settings)
    if server is None:
        yield Check("mail", "OK", "JOBRECON_SMTP_URL is not set: `report --mail` leaves mails as files")
        return
    with SmtpSession(server) as session:
        session.ensure_connected()
    yield Check("mail", "OK", f"{server.host}:{server.port} is reachable{' and takes the login' if server.user else ''}")


def _check_chat(settings: Settings, _applications: Applications) -> Iterator[Check]:
    if settings.chat_url.get_secret_value():
        # Loads apprise with all its services.
        from jobrecon.delivery.chat import open_chat

        open_chat(settings)
        yield Check("chat", "OK", "JOBRECON_CHAT_URL is the address of a chat; whether it takes messages only a message shows")


def _check_prefect(settings: Settings, _applications: Applications) -> Iterator[Check]:
    url = settings.environment.get("PREFECT_API_URL", "")
    if not url:
        yield Check("Prefect API", "WARN", "PREFECT_API_URL is not set", "Schedules need a Prefect server: docs/prefect.md.")
        return
    try:
        response = httpx.get(f"{url.rstrip('/')}/health", timeout=5)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Check(
            "Prefect API", "FAIL", f"is not reachable ({type(error).__name__})", "Start the Prefect server, or correct PREFECT_API_URL."
        )
        return
    is_healthy = response.status_code == 200
    yield Check(
        "Prefect API",
        "OK" if is_healthy else "FAIL",
        f"responds with HTTP {response.status_code}",
        "" if is_healthy else "Look at the server's log.",
    )


CHECKS: dict[str, Callable[[Settings, Applications], Iterator[Check]]] = {
    "home": _check_home,
    "applications": _check_applications,
    "credentials": _check_credentials,
    "disk": check_disk,
    "warehouse": check_warehouse,
    "published copy": check_published,
    "joined copy": check_joined,
    "landing database": check_landing,
    "webhook": _check_webhook,
    "webhook at LinkedIn": _check_blocked,
    "task source": _check_source,
    "mail": _check_mail,
    "chat": _check_chat,
    "Prefect API": _check_prefect,
}
"""In the order in which a user would fix things."""
CHECKED_BY_SHARD = {"warehouse", "published copy"}
"""Of which each shard has its own."""
