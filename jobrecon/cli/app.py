"""The commands, one per function: each loads the settings, calls what does the work, and prints the result."""

import gc
import shlex
import time
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from jobrecon import __version__
from jobrecon.cli.console import (
    JsonOption,
    ShardOption,
    echo,
    err,
    exit_with_status,
    out,
    parse_timestamp,
    print_json,
    show_progress,
    start_logging,
)
from jobrecon.cli.demo import demo, sandbox
from jobrecon.cli.gathering import gather
from jobrecon.cli.importing import notifications, rejected, tasks
from jobrecon.cli.settings import settings as print_settings
from jobrecon.cli.webhook import webhook
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
app.command()(gather)
app.command("settings")(print_settings)
app.add_typer(webhook, name="webhook")
app.command()(sandbox)
app.command()(demo)


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
    allow_future: Annotated[bool, typer.Option("--allow-future", help="Take an --as-of ahead of this machine's clock.")] = False,
    is_landing_new: Annotated[bool, typer.Option("--new-landing", help="Accept another landing database than the last run's.")] = False,
    shard: ShardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reconcile once: pull new tasks, poll LinkedIn, merge notifications, update findings, publish.

    Ends with 1 where a source or an application could not be read; why is on stderr.

    Example: `jobrecon run --as-of 2026-11-21T06:00:00Z`
    """
    from jobrecon.delivery.addresses import warn_of_invalid_addresses
    from jobrecon.reconcile.opening import reconcile
    from jobrecon.reports.formatting import describe_count, describe_seconds

    with exit_with_status():
        settings = load_settings(shard=shard)
        timestamp, started = parse_timestamp(as_of, "--as-of"), time.monotonic()
        warn_of_invalid_addresses(settings)
        with show_progress("Polling LinkedIn") as advance:
            summary = reconcile(settings, timestamp, advance, allow_future=allow_future, is_landing_new=is_landing_new)
        if as_json:
            print_json({**summary.model_dump(), "published": str(settings.for_shard().published)})
        else:
            echo(
                f"{summary.state}, as of {summary.as_of.isoformat(timespec='seconds')}, in {time.monotonic() - started:.1f} s: {summary.sentence}."
            )
            echo(f"{summary.polling_sentence}.")
            for note in summary.notes:
                echo(note)
            if summary.tasks_young:
                echo(
                    f"Not due yet: {describe_count(summary.tasks_young, 'task')} younger than {describe_seconds(settings.first_check_after)}."
                )
            echo(f"Warehouse: {settings.describe_warehouse()}")
            echo(f"Published: {settings.for_shard().published}")
        for reason in summary.incomplete_reasons:
            echo(f"INCOMPLETE: {reason}", "yellow", err)
        if summary.failures:
            raise typer.Exit(1)


@app.command()
def verify(
    is_repaired: Annotated[bool, typer.Option("--repair", help="Replace wrong rows by what was derived, and publish.")] = False,
    shard: ShardOption = None,
) -> None:
    """Derive all derived tables and open findings from nothing, as of the last run, and compare them with what stands.

    Ends with 1 where rows differ, and names them; with `--repair` they are put right, and it ends with 0. No call is sent to
    LinkedIn. Notifications imported with an earlier time since that run count as a difference until the next run.

    Example: `jobrecon verify --repair`
    """
    from jobrecon.reconcile.verify import verify as compare

    with exit_with_status():
        result = compare(load_settings(shard=shard), is_repaired=is_repaired)
        for line in result.lines:
            echo(line, "yellow", err)
        echo(result.sentence)
        if result.differences and not result.is_repaired:
            echo("Nothing was changed. `jobrecon verify --repair` puts them right.", "yellow", err)
            raise typer.Exit(1)


@app.command()
def report(
    date: Annotated[str | None, typer.Option("--date", help="The day to report, YYYY-MM-DD. Default: today.", metavar="D")] = None,
    is_mailed: Annotated[bool, typer.Option("--mail", help="Send the mails and the chat message that have not been sent yet.")] = False,
    is_resent: Annotated[bool, typer.Option("--resend", help="With --mail: send also what was sent before.")] = False,
    is_opened: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the daily report into the reports folder: a page for all, one per account manager, workbook, CSV, summary.

    With `--mail` it is also sent: to each account manager with an address, to JOBRECON_MAIL_TO and to the chat, each once a
    day; ends with 1 where one of them did not get it. Example: `jobrecon report --date 2026-11-21`
    """
    import datetime as dt

    from jobrecon.reports.formatting import describe_count
    from jobrecon.reports.report import write_report

    with exit_with_status():
        settings = load_settings()
        try:
            day = dt.date.fromisoformat(date) if date else None
        except ValueError:
            raise ConfigurationError(f"--date is not a date: {date!r}. Write it as 2026-01-31.") from None
        if is_resent and not is_mailed:
            raise ConfigurationError("--resend goes with --mail: jobrecon report --mail --resend")
        result = write_report(settings, day, utc_now())
        page = (result.folder / "index.html").absolute()
        if is_opened:
            webbrowser.open(page.as_uri())
        delivery = None
        if is_mailed:
            from jobrecon.delivery.deliver import deliver_report

            delivery = deliver_report(settings, result, utc_now(), resend=is_resent)
        if as_json:
            sent = {"mail": delivery.__dict__ | {"kept": [str(path) for path in delivery.kept]}} if delivery else {}
            print_json({**result.summary, "folder": str(result.folder), "files": [str(file) for file in result.files], **sent})
            if delivery and delivery.problems:
                raise typer.Exit(1)
            return
        flow = result.summary["roll_forward"]
        echo(
            f"{describe_count(flow['open_now'], 'finding')} open ({flow['open_before']:,} before, {flow['new']:,} new, {flow['resolved']:,} resolved) "
            f"on {result.summary['date']}, {describe_count(result.summary['jobs'], 'job')}.",
        )
        for reason in result.summary["incomplete_reasons"]:
            echo(f"INCOMPLETE: {reason}", "bold red", err)
        echo(f"{'Opened' if is_opened else 'Open'} {result.folder / 'index.html'}")
        if delivery:
            echo(f"Messages: {delivery.sentence}.")
            for problem in delivery.problems:
                echo(problem, "bold red", err)
        if delivery and delivery.problems:
            raise typer.Exit(1)


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
            from jobrecon.reconcile.opening import reconcile

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
    from jobrecon.cli.budget import print_budget
    from jobrecon.landing.database import using_landing
    from jobrecon.linkedin.budget import describe_budget

    with exit_with_status():
        settings = load_settings()
        now = utc_now()
        with using_landing(settings.landing_url) as engine:
            rows = describe_budget(engine, settings.load_applications(), now, settings.check_limit)
        if as_json:
            print_json({"utc_date": now.date(), "applications": rows})
            return
        if not rows:
            raise ConfigurationError("No application is configured, and no calls were made today.")
        print_budget(rows, now)


@app.command()
def doctor(shard: ShardOption = None, as_json: JsonOption = False) -> None:
    """Check configuration, credentials, clock, disk, databases, Prefect and the webhook, and say how to fix what is wrong.

    Of several shards all are checked; `--shard` or JOBRECON_SHARD names one.

    Example: `jobrecon doctor`
    """
    from jobrecon.cli.doctor import run_checks

    with exit_with_status():
        checks = run_checks(shard)
        if as_json:
            print_json({"ok": all(item.state != "FAIL" for item in checks), "checks": [item.__dict__ for item in checks]})
        else:
            colours = {"OK": "green", "WARN": "yellow", "FAIL": "red"}
            for item in checks:
                out.print(f"[{colours[item.state]}]{item.state:4}[/] ", end="")
                echo(f"{item.name}: {item.detail}" + (f"\n     {item.remedy}" if item.remedy else ""))
        if any(item.state == "FAIL" for item in checks):
            raise typer.Exit(1)
