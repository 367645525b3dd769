"""Serve the sandbox for the command line."""

from jobrecon.cli.console import echo
from jobrecon.errors import ConfigurationError
from jobrecon.sandbox import SandboxApplication, serve_sandbox
from jobrecon.settings import Settings
from jobrecon.webhook.server import listen

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
