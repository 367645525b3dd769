"""`jobrecon webhook`: the receiver, and its quarantine."""

from typing import Annotated

import typer

from jobrecon.cli.console import echo, exit_with_status
from jobrecon.settings import load_settings

webhook = typer.Typer()


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
    from jobrecon.landing.database import using_landing
    from jobrecon.webhook.notifications import redrive_quarantine

    with exit_with_status():
        with using_landing(load_settings().landing_url) as engine:
            result = redrive_quarantine(engine)
        echo(f"{result.landed:,} notifications landed and are merged by the next run; {sum(result.invalid.values()):,} stay in quarantine.")
        for reason, count in sorted(result.invalid.items(), key=lambda item: -item[1]):
            echo(f"  {count:,} invalid: {reason}")
