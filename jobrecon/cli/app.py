"""The commands, one a function; each sets up, calls the room that does it, and prints."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from jobrecon import __version__
from jobrecon.cli.console import (
    JsonOption,
    err,
    exit_with_status,
    out,
    parse_moment,
    print_json,
    print_table,
    say,
    show_progress,
    start_logging,
)
from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, InputError
from jobrecon.imports import ImportResult, import_notifications, import_tasks
from jobrecon.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which jobs posted to LinkedIn are stuck, failed or unlisted, who has to act, and how.",
)
tasks = typer.Typer(no_args_is_help=True, help="Tasks: what was asked of LinkedIn.")
notifications = typer.Typer(no_args_is_help=True, help="Notifications: what LinkedIn told by webhook.")
app.add_typer(tasks, name="tasks")
app.add_typer(notifications, name="notifications")
webhook = typer.Typer()
app.add_typer(webhook, name="webhook")

Files = Annotated[list[Path], typer.Argument(help="One or more files.", metavar="FILE…")]


def main() -> None:
    app(prog_name="jobrecon")


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"jobrecon {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    start_logging()


@tasks.command("import")
def tasks_import(files: Files) -> None:
    """Add task URNs from CSV, Parquet or (ND)JSON files. Safe to repeat: known tasks stay as they are.

    Example: `jobrecon tasks import exports/2026-11-21.csv`
    """
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings()
        applications = settings.load_applications()
        with open_warehouse(settings) as warehouse:
            _import_files(files, "tasks", lambda path, advance: import_tasks(warehouse, path, applications, utc_now(), advance))


@notifications.command("import")
def notifications_import(files: Files) -> None:
    """Add notification bodies that were landed elsewhere: NDJSON, one body a line, with or without its time of receipt.

    Example: `jobrecon notifications import landed.ndjson`, of lines such as `{"received_at": "2026-11-21T06:00:00Z", "body": {"type": "JOB_POSTING_STATUS", …}}`
    """
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings()
        with open_warehouse(settings) as warehouse:
            _import_files(files, "notifications", lambda path, advance: import_notifications(warehouse, path, utc_now(), advance))


def _import_files(files: list[Path], noun: str, import_file: Any) -> None:
    is_failed = False
    for path in files:
        done = 0
        with show_progress(f"{path.name}") as progress:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                progress(done, 0)

            try:
                result: ImportResult = import_file(path, advance)
            except InputError as error:
                say(f"InputError: {error}", to=err)
                is_failed = True
                continue
        say(f"{path}: {result.added:,} {noun} added, {result.known:,} known already, {result.rejected:,} rows rejected")
        for note in result.notes:
            say(f"  {note}")
        for reason, count in sorted(result.reasons.items(), key=lambda item: -item[1]):
            say(f"  rejected {count:,}: {reason}")
        if result.rejected:
            say("  Rejected rows are kept in the table rejected_rows with file, line and reason; mend them and import the file again.")
    if is_failed:
        raise typer.Exit(1)


@app.command()
def run(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The moment to speak about, ISO 8601. Default: now.", metavar="T")] = None,
    as_json: JsonOption = False,
) -> None:
    """One reconciliation: pull, poll, merge, reconcile, publish.

    Example: `jobrecon run --as-of 2026-11-21T06:00:00Z`
    """
    from jobrecon.reconciliation import reconcile

    with exit_with_status():
        settings = load_settings()
        moment = parse_moment(as_of, "--as-of")
        started = time.monotonic()
        with show_progress("Polling LinkedIn") as advance:
            summary = reconcile(settings, moment, advance)
        if as_json:
            print_json({**summary.__dict__, "published": str(settings.published)})
        else:
            say(
                f"{summary.state}, as of {summary.as_of.isoformat(timespec='seconds')}, in {time.monotonic() - started:.1f} s: {summary.sentence}."
            )
            if summary.tasks_left:
                say(f"{summary.tasks_left:,} due tasks were left for the next run; {summary.calls_left:,} calls are left today.")
            say(f"Published: {settings.published}")
        if summary.failed_applications:
            raise typer.Exit(1)


@app.command()
def report(
    date: Annotated[str | None, typer.Option("--date", help="The day to report, YYYY-MM-DD. Default: today.", metavar="D")] = None,
    is_mailed: Annotated[bool, typer.Option("--mail", help="Send the mails and the chat message that were not sent yet.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The daily report into the reports folder: a page for all, one for each account manager, workbook, CSV, summary.

    With `--mail` it is sent too: to each account manager with an address, to JOBRECON_MAIL_TO and to the chat, each once for
    a day. Example: `jobrecon report --date 2026-11-21`
    """
    import datetime as dt

    from jobrecon.reports import write_report
    from jobrecon.reports.delivery import deliver_report

    with exit_with_status():
        settings = load_settings()
        try:
            day = dt.date.fromisoformat(date) if date else None
        except ValueError:
            raise ConfigurationError(f"--date is no date: {date!r}. Write it as 2026-01-31.") from None
        result = write_report(settings, day, utc_now())
        delivery = deliver_report(settings, result, utc_now()) if is_mailed else None
        if as_json:
            sent = {"mail": delivery.__dict__ | {"kept": [str(path) for path in delivery.kept]}} if delivery else {}
            print_json({**result.summary, "folder": str(result.folder), "files": [str(file) for file in result.files], **sent})
            return
        flow = result.summary["roll_forward"]
        say(
            f"{flow['open_now']:,} findings open ({flow['open_before']:,} before, {flow['new']:,} new, {flow['resolved']:,} resolved) "
            f"on {result.summary['date']}, {result.summary['jobs']:,} jobs.",
        )
        if not result.summary["complete"]:
            say("INCOMPLETE: " + " ".join(result.summary["incomplete_reasons"]), "bold red", err)
        say(f"Open {result.folder / 'index.html'}")
        if delivery:
            say(f"Messages: {delivery.sentence}.")
            for problem in delivery.problems:
                say(problem, "bold red", err)


@app.command()
def explain(
    job: Annotated[str, typer.Argument(help="The partner's id of the job (externalJobPostingId).")],
    application: Annotated[str | None, typer.Option("--application", help="URN of the application, where several have such a job.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Everything known about one job in order of time: requests, polls, notifications, findings, and what to do next.

    Example: `jobrecon explain job-1`
    """
    from jobrecon.cli.story import print_story
    from jobrecon.story import tell_story
    from jobrecon.warehouse import open_for_reading

    with exit_with_status():
        settings = load_settings()
        with open_for_reading(settings) as warehouse:
            stories = tell_story(warehouse, job, application)
        if as_json:
            print_json({"external_job_posting_id": job, "jobs": stories})
        else:
            for story in stories:
                print_story(story)


@app.command()
def budget(as_json: JsonOption = False) -> None:
    """Calls used and left today, per application.

    Example: `jobrecon budget --json`
    """
    from jobrecon.landing import open_landing
    from jobrecon.linkedin.budget import describe_budget

    with exit_with_status():
        settings = load_settings()
        now = utc_now()
        rows = describe_budget(open_landing(settings.landing_url), settings.load_applications(), now)
        if as_json:
            print_json({"utc_date": now.date(), "applications": rows})
            return
        if not rows:
            raise ConfigurationError("No application is configured and none called LinkedIn today.")
        columns = ["application_urn", "customer", "call_limit", "calls_used", "calls_left", "exhausted_at"]
        print_table(
            f"Calls to simpleJobPostingTasks on {now.date()} (UTC; resets at 00:00 UTC)",
            ["application", "customer", "limit", "used", "left", "exhausted at"],
            [["" if row[name] is None else row[name] for name in columns] for row in rows],
        )


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check configuration, credentials, clock, disk, both databases, the Prefect API and the webhook; say how to mend what is wrong.

    Example: `jobrecon doctor`
    """
    from jobrecon.cli.checks import examine

    with exit_with_status():
        findings = examine()
        if as_json:
            print_json({"ok": all(item.state != "FAIL" for item in findings), "checks": [item.__dict__ for item in findings]})
        else:
            colours = {"OK": "green", "WARN": "yellow", "FAIL": "red"}
            for item in findings:
                out.print(f"[{colours[item.state]}]{item.state:4}[/] ", end="")
                say(f"{item.name}: {item.detail}" + (f"\n     {item.remedy}" if item.remedy else ""))
        if any(item.state == "FAIL" for item in findings):
            raise typer.Exit(1)


@webhook.callback(invoke_without_command=True)
def webhook_serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8080,
) -> None:
    """Serve the receiver: GET and POST /webhook, /healthz, /readyz, /metrics.

    Example: `jobrecon webhook --host 0.0.0.0 --port 8080`
    """
    from jobrecon.webhook.server import serve_webhook

    if context.invoked_subcommand is None:
        with exit_with_status():
            serve_webhook(load_settings(), host, port)


@webhook.command("redrive")
def webhook_redrive() -> None:
    """Try the notifications in quarantine again, after a fix: what is understood now lands as received then.

    Example: `jobrecon webhook redrive`
    """
    from jobrecon.landing import open_landing
    from jobrecon.webhook.upkeep import redrive_quarantine

    with exit_with_status():
        result = redrive_quarantine(open_landing(load_settings().landing_url))
        say(f"{result.landed:,} notifications landed and wait for the next run; {sum(result.still_not.values()):,} stay in quarantine.")
        for reason, count in sorted(result.still_not.items(), key=lambda item: -item[1]):
            say(f"  not understood {count:,}: {reason}")


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8090,
    webhook_url: Annotated[str | None, typer.Option(help="Where to send webhooks, such as http://127.0.0.1:8080/webhook.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 1,
) -> None:
    """Serve the stand-in for LinkedIn: token, tasks, posting status, webhooks, and a control endpoint that moves its clock.

    It takes the configured applications, or a sample one. Example: `jobrecon sandbox --webhook-url http://127.0.0.1:8080/webhook`
    """
    from jobrecon.cli.stand_in import serve_stand_in

    with exit_with_status():
        serve_stand_in(load_settings(), host, port, webhook_url, seed)


@app.command()
def demo() -> None:
    """The main job on this machine with nothing configured: sandbox, receiver, flows and report on free loopback ports.

    It lives in JOBRECON_HOME (default ./var), which must be new or an earlier demo's. Example: `JOBRECON_HOME=demo jobrecon demo`
    """
    from jobrecon.demo import run_demo

    with exit_with_status():
        run_demo(load_settings())
