"""The commands, one per function: each loads the settings, calls what does the work, and prints the result."""

import gc
import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from jobrecon import __version__
from jobrecon.cli.console import (
    JsonOption,
    echo,
    err,
    exit_with_status,
    out,
    parse_timestamp,
    print_json,
    print_table,
    show_progress,
    sparkline,
    start_logging,
)
from jobrecon.cli.importing import notifications, rejected, tasks
from jobrecon.cli.settings import settings as print_settings
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
app.command()(rejected)
app.command("settings")(print_settings)
webhook = typer.Typer()
app.add_typer(webhook, name="webhook")


def main() -> None:
    """The command line of this process."""
    # Collecting garbage while the libraries load, and once more at exit, takes a third of a second.
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
def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the deployment. Default: this one.", metavar="[DIR]")] = Path(),
) -> None:
    """Write what a deployment needs: applications.toml, .env, prefect.yaml, automations, a compose file, systemd units.

    No file that exists is changed. Example: `jobrecon init /srv/jobrecon`
    """
    from jobrecon.cli.project import write_project

    with exit_with_status():
        for file in write_project(folder):
            echo(f"{'written  ' if file.is_new else 'unchanged'}  {file.path}")
        echo("Next:")
        if folder.resolve() != Path.cwd():
            echo(f"  cd {shlex.quote(str(folder))}")
        echo("  1. Enter your customers in applications.toml and their secrets in .env, then check both: jobrecon doctor")
        echo("  2. Import tasks and look at a report: jobrecon tasks import FILE, jobrecon run, jobrecon report --open")
        echo("  3. Schedule it: start `prefect server start`, then in another terminal:")
        echo("     prefect work-pool create jobrecon --type process --overwrite && prefect --no-prompt deploy --all")
        echo("     PROJECT_ROOT=$PWD prefect worker start --pool jobrecon")


@app.command()
def run(
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Reconcile as of this time, ISO 8601 (UTC without an offset). Default: now.", metavar="T")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Reconcile once: pull new tasks, poll LinkedIn, merge notifications, update findings, publish.

    Example: `jobrecon run --as-of 2026-11-21T06:00:00Z`
    """
    from jobrecon.reconcile.run import reconcile

    with exit_with_status():
        settings = load_settings()
        timestamp = parse_timestamp(as_of, "--as-of")
        started = time.monotonic()
        with show_progress("Polling LinkedIn") as advance:
            summary = reconcile(settings, timestamp, advance)
        if as_json:
            print_json({**summary.model_dump(), "published": str(settings.published)})
        else:
            echo(
                f"{summary.state}, as of {summary.as_of.isoformat(timespec='seconds')}, in {time.monotonic() - started:.1f} s: {summary.sentence}."
            )
            echo(f"{summary.polling_sentence}.")
            echo(f"Published: {settings.published}")
        if summary.failed_applications:
            raise typer.Exit(1)


@app.command()
def report(
    date: Annotated[str | None, typer.Option("--date", help="The day to report, YYYY-MM-DD. Default: today.", metavar="D")] = None,
    is_mailed: Annotated[bool, typer.Option("--mail", help="Send the mails and the chat message that have not been sent yet.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the daily report into the reports folder: a page for all, one per account manager, workbook, CSV, summary.

    With `--mail` it is also sent: to each account manager with an address, to JOBRECON_MAIL_TO and to the chat, each once a
    day. Example: `jobrecon report --date 2026-11-21`
    """
    import datetime as dt

    from jobrecon.reports import write_report

    with exit_with_status():
        settings = load_settings()
        try:
            day = dt.date.fromisoformat(date) if date else None
        except ValueError:
            raise ConfigurationError(f"--date is not a date: {date!r}. Write it as 2026-01-31.") from None
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
        echo(
            f"{flow['open_now']:,} findings open ({flow['open_before']:,} before, {flow['new']:,} new, {flow['resolved']:,} resolved) "
            f"on {result.summary['date']}, {result.summary['jobs']:,} jobs.",
        )
        for reason in result.summary["incomplete_reasons"]:
            echo(f"INCOMPLETE: {reason}", "bold red", err)
        echo(f"Open {result.folder / 'index.html'}")
        if delivery:
            echo(f"Messages: {delivery.sentence}.")
            for problem in delivery.problems:
                echo(problem, "bold red", err)


@app.command()
def explain(
    job: Annotated[str, typer.Argument(help="The job's externalJobPostingId.")],
    application: Annotated[
        str | None, typer.Option("--application", help="URN of the application, where several have a job of this id.")
    ] = None,
    poll: Annotated[bool, typer.Option("--poll", help="Poll its pending tasks first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show everything known about one job in order of time: requests, polls, notifications, findings, what to do next.

    Example: `jobrecon explain job-1`
    """
    from jobrecon.cli.timeline import print_timeline
    from jobrecon.reports.timeline import explain_job
    from jobrecon.warehouse import open_published

    with exit_with_status():
        settings = load_settings()
        if poll:
            from jobrecon.reconcile.run import reconcile

            reconcile(settings, job=job)
        with open_published(settings) as warehouse:
            timelines = explain_job(warehouse, job, application)
        if as_json:
            print_json({"external_job_posting_id": job, "jobs": timelines})
        else:
            for timeline in timelines:
                print_timeline(timeline)


@app.command()
def budget(as_json: JsonOption = False) -> None:
    """Show the API calls used and left today (UTC) per application and resource.

    Example: `jobrecon budget --json`
    """
    from jobrecon.landing.database import open_landing
    from jobrecon.linkedin.ledger import describe_budget

    with exit_with_status():
        settings = load_settings()
        now = utc_now()
        rows = describe_budget(open_landing(settings.landing_url), settings.load_applications(), now, settings.check_limit)
        if as_json:
            print_json({"utc_date": now.date(), "applications": rows})
            return
        if not rows:
            raise ConfigurationError("No application is configured, and no calls were made today.")
        print_table(
            f"Calls on {now.date()} (UTC; resets at 00:00 UTC)",
            [
                "application",
                "customer",
                "resource",
                "limit",
                "used",
                "left",
                "exhausted at",
                "throttled until",
                "by hour, from 00 to 23 UTC",
            ],
            [
                [
                    row["application_urn"],
                    row["customer"] or "",
                    row["resource"],
                    row["call_limit"],
                    row["calls_used"],
                    row["calls_left"],
                    row["exhausted_at"] or "",
                    row["throttled_until"] or "",
                    sparkline(row["calls_by_hour"]),
                ]
                for row in rows
            ],
        )


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check configuration, credentials, clock, disk, databases, Prefect and the webhook, and say how to fix what is wrong.

    Example: `jobrecon doctor`
    """
    from jobrecon.cli.checks import run_checks

    with exit_with_status():
        checks = run_checks()
        if as_json:
            print_json({"ok": all(item.state != "FAIL" for item in checks), "checks": [item.__dict__ for item in checks]})
        else:
            colours = {"OK": "green", "WARN": "yellow", "FAIL": "red"}
            for item in checks:
                out.print(f"[{colours[item.state]}]{item.state:4}[/] ", end="")
                echo(f"{item.name}: {item.detail}" + (f"\n     {item.remedy}" if item.remedy else ""))
        if any(item.state == "FAIL" for item in checks):
            raise typer.Exit(1)


@webhook.callback(invoke_without_command=True)
def webhook_serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8080,
) -> None:
    """Serve the webhook receiver: /webhook, /healthz, /readyz, /metrics.

    Example: `jobrecon webhook --host 0.0.0.0 --port 8080`
    """
    from jobrecon.webhook.server import serve_webhook

    if context.invoked_subcommand is None:
        with exit_with_status():
            serve_webhook(load_settings(), host, port)


@webhook.command("redrive")
def webhook_redrive() -> None:
    """Parse the quarantined bodies again, after a fix: those that are valid now land with their original time of receipt.

    Example: `jobrecon webhook redrive`
    """
    from jobrecon.landing.database import open_landing
    from jobrecon.webhook.redrive import redrive_quarantine

    with exit_with_status():
        result = redrive_quarantine(open_landing(load_settings().landing_url))
        echo(f"{result.landed:,} notifications landed and are merged by the next run; {sum(result.invalid.values()):,} stay in quarantine.")
        for reason, count in sorted(result.invalid.items(), key=lambda item: -item[1]):
            echo(f"  {count:,} invalid: {reason}")


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8090,
    webhook_url: Annotated[str | None, typer.Option(help="Where to send webhooks, such as http://127.0.0.1:8080/webhook.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same outcomes.")] = 1,
) -> None:
    """Serve a fake LinkedIn: tokens, tasks, posting status, webhooks, and control endpoints for its clock and faults.

    It knows the configured applications, or a sample one. Example: `jobrecon sandbox --webhook-url http://127.0.0.1:8080/webhook`
    """
    from jobrecon.cli.sandbox import serve_fake_linkedin

    with exit_with_status():
        serve_fake_linkedin(load_settings(), host, port, webhook_url, seed)


@app.command()
def demo(
    home: Annotated[Path, typer.Option(help="The demo's folder: a new one, or an earlier demo's, which is emptied.")] = Path("demo"),
) -> None:
    """Try everything on this machine, with nothing configured: a fake LinkedIn, receiver, flows and report.

    Takes less than a minute and prints where everything lies. Nothing leaves this machine. Example: `jobrecon demo --home demo`
    """
    from jobrecon.demo.two_days import run_demo

    with exit_with_status():
        run_demo(home)
