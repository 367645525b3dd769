"""`jobrecon sandbox` and `jobrecon demo`: a fake LinkedIn on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from jobrecon.cli.console import exit_with_status
from jobrecon.settings import load_settings


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


def demo(
    home: Annotated[Path, typer.Option(help="The demo's folder: a new one, or an earlier demo's, which is emptied.")] = Path("demo"),
) -> None:
    """Try everything on this machine, with nothing configured: a fake LinkedIn, receiver, flows and report.

    Takes about a minute and prints where everything lies. Nothing leaves this machine. Example: `jobrecon demo --home demo`
    """
    from jobrecon.demo.two_days import run_demo

    with exit_with_status():
        run_demo(home)
