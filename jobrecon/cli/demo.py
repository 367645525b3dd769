"""`jobrecon sandbox` and `jobrecon demo`: a fake LinkedIn on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from jobrecon.cli.console import echo, exit_with_status
from jobrecon.errors import ConfigurationError
from jobrecon.sandbox import SandboxApplication, serve_sandbox
from jobrecon.settings import Settings, load_settings
from jobrecon.webhook.server import listen


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8090,
    webhook_url: Annotated[str | None, typer.Option(help="Where to send webhooks, such as http://127.0.0.1:8080/webhook.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same outcomes.")] = 1,
) -> None:
    """Serve a fake LinkedIn: tokens, tasks, posting status, webhooks, and control endpoints for its clock and faults.

    It knows the configured applications, or a sample one. Example: `jobrecon sandbox --webhook-url http://127.0.0.1:8080/webhook`
    """
    from jobrecon.cli.demo import serve_fake_linkedin

    with exit_with_status():
        serve_fake_linkedin(load_settings(), host, port, webhook_url, seed)


def demo(
    home: Annotated[Path, typer.Option(help="The demo's folder: a new one, or an earlier demo's, which is emptied.")] = Path("demo"),
) -> None:
    """Try everything on this machine, with nothing configured: a fake LinkedIn, receiver, flows and report.

    Takes less than a minute and prints where everything lies. Nothing leaves this machine. Example: `jobrecon demo --home demo`
    """
    from jobrecon.demo.two_days import run_demo

    with exit_with_status():
        run_demo(home)


PARENT_URN = "urn:li:developerApplication:1000"
SAMPLE = SandboxApplication("urn:li:developerApplication:1001", "sandbox", ["sandbox-secret"])


def serve_fake_linkedin(settings: Settings, host: str, port: int, webhook_url: str | None, seed: int) -> None:
    """Serve a sandbox that knows the configured applications, or a sample one, until interrupted."""
    configured = settings.load_applications()
    applications = [
        SandboxApplication(item.urn, item.client_id, [secret.get_secret_value() for secret in item.load_secrets()]) for item in configured
    ]
    parent = None
    if configured.parent:
        secrets = [secret.get_secret_value() for secret in configured.parent.load_secrets()]
        parent = SandboxApplication(PARENT_URN, configured.parent.client_id or "sandbox-parent", secrets)
    try:
        listen(host, port).close()
    except OSError as error:
        raise ConfigurationError(f"The sandbox cannot listen on {host}:{port}: {error.strerror}. Choose another port.") from None
    echo(f"The fake LinkedIn serves {len(applications) or 1} application(s) on http://{host}:{port} until Ctrl-C. In the other terminals:")
    echo(f"  export JOBRECON_API_URL=http://{host}:{port} JOBRECON_TOKEN_URL=http://{host}:{port}/oauth/v2/accessToken")
    if not applications:
        sample = (
            f"JOBRECON_APPLICATION_URN={SAMPLE.urn} JOBRECON_CLIENT_ID={SAMPLE.client_id} JOBRECON_CLIENT_SECRET={SAMPLE.client_secrets[0]}"
        )
        echo(f"  export {sample}")
    serve_sandbox(host, port, applications or [SAMPLE], webhook_url, seed, parent=parent)
