"""The commands, one a function; each sets up, calls the room that does it, and prints."""

import gc
import time
from typing import Annotated

import typer

from jobrecon import __version__
from jobrecon.cli.console import (
    JsonOption,
    draw_bars,
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
from jobrecon.cli.importing import notifications, tasks
from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError
from jobrecon.settings import load_settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which jobs posted to LinkedIn are stuck, failed or unlisted, who has to act, and how.",
)
app.add_typer(tasks, name="tasks")
app.add_typer(notifications, name="notifications")
webhook = typer.Typer()
app.add_typer(webhook, name="webhook")


def main() -> None:
    """The command line of this process."""
    # The collector would go through the libraries many times while they load and once more at the end: a third of a second.
    gc.set_threshold(100_000)
    try:
        app(prog_name="jobrecon")
    finally:
        gc.freeze()


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"jobrecon {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    start_logging()


@app.command()
def run(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The moment to speak about, ISO 8601. Default: now.", metavar="T")] = None,
    as_json: JsonOption = False,
) -> None:
    """One reconciliation: pull, poll, merge, reconcile, publish.

    Example: `jobrecon run --as-of 2026-11-21T06:00:00Z`
    """
    from jobrecon.reconcile.run import reconcile

    with exit_with_status():
        settings = load_settings()
        moment = parse_moment(as_of, "--as-of")
        started = time.monotonic()
        with show_progress("Polling LinkedIn") as advance:
            summary = reconcile(settings, moment, advance)
        if as_json:
            print_json({**summary.model_dump(), "published": str(settings.published)})
        else:
            say(
                f"{summary.state}, as of {summary.as_of.isoformat(timespec='seconds')}, in {time.monotonic() - started:.1f} s: {summary.sentence}."
            )
            say(f"{summary.polling_sentence}.")
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

    with exit_with_status():
        settings = load_settings()
        try:
            day = dt.date.fromisoformat(date) if date else None
        except ValueError:
            raise ConfigurationError(f"--date is no date: {date!r}. Write it as 2026-01-31.") from None
        result = write_report(settings, day, utc_now())
        delivery = None
        if is_mailed:
            from jobrecon.delivery.deliver import deliver_report

            delivery = deliver_report(settings, result, utc_now())
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
    poll: Annotated[bool, typer.Option("--poll", help="Ask LinkedIn about its pending tasks first, now.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Everything known about one job in order of time: requests, polls, notifications, findings, and what to do next.

    Example: `jobrecon explain job-1`
    """
    from jobrecon.cli.timeline import print_story
    from jobrecon.reports.timeline import read_timeline
    from jobrecon.warehouse import open_published

    with exit_with_status():
        settings = load_settings()
        if poll:
            from jobrecon.reconcile.run import reconcile

            reconcile(settings, job=job)
        with open_published(settings) as warehouse:
            stories = read_timeline(warehouse, job, application)
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
    from jobrecon.landing.database import open_landing
    from jobrecon.linkedin.ledger import describe_budget

    with exit_with_status():
        settings = load_settings()
        now = utc_now()
        rows = describe_budget(open_landing(settings.landing_url), settings.load_applications(), now)
        if as_json:
            print_json({"utc_date": now.date(), "applications": rows})
            return
        if not rows:
            raise ConfigurationError("No application is configured and none called LinkedIn today.")
        print_table(
            f"Calls to simpleJobPostingTasks on {now.date()} (UTC; resets at 00:00 UTC)",
            ["application", "customer", "limit", "used", "left", "exhausted at", "by hour, from 00 to 23 UTC"],
            [
                [
                    row["application_urn"],
                    row["customer"] or "",
                    row["call_limit"],
                    row["calls_used"],
                    row["calls_left"],
                    row["exhausted_at"] or "",
                    draw_bars(row["calls_by_hour"]),
                ]
                for row in rows
            ],
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
    from jobrecon.landing.database import open_landing
    from jobrecon.webhook.redrive import redrive_quarantine

    with exit_with_status():
        result = redrive_quarantine(open_landing(load_settings().landing_url))
        say(f"{result.landed:,} notifications landed and wait for the next run; {sum(result.invalid.values()):,} stay in quarantine.")
        for reason, count in sorted(result.invalid.items(), key=lambda item: -item[1]):
            say(f"  {count:,} invalid: {reason}")


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
    from jobrecon.cli.sandbox import serve_stand_in

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
