"""The partner's webhooks from LinkedIn's side: which of them LinkedIn has blocked."""

import httpx
from sqlalchemy import Engine

from jobrecon.applications import Application, Parent
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import CredentialsRefused, LinkedInUnreachable
from jobrecon.linkedin.responses import decode_object
from jobrecon.linkedin.retry import TRANSIENT_ERRORS, Backoff, describe
from jobrecon.linkedin.tokens import TokenCache
from jobrecon.settings import Settings

QUERY = "q=parentApplication&queryCriteria=(webhookStatus:BLOCKED)"


async def fetch_blocked_webhooks(
    parent: Parent | None, settings: Settings, engine: Engine, http: httpx.AsyncClient, clock: Clock = utc_now
) -> list[str] | None:
    """The addresses of blocked webhooks; None where they cannot be read: no client id of the parent, or no access.

    Raises `LinkedInUnreachable` where LinkedIn gives no response. No limit of this resource is documented, so its few calls are
    in no ledger.
    """
    if parent is None or not parent.client_id:
        return None
    application = Application(
        f"parent:{parent.client_id}", parent.client_id, parent.secret_references, "the parent application", environment=parent.environment
    )
    url = f"{settings.api_url.rstrip('/')}/v2/developerWebhooks?{QUERY}"
    tokens = TokenCache(application, settings.token_url, engine, http, clock)
    backoff = Backoff()
    try:
        token = await tokens.get()
        while True:
            headers = {"Authorization": f"Bearer {token.get_secret_value()}", "X-RestLi-Protocol-Version": "2.0.0"}
            try:
                response = await http.get(url, headers=headers)
                if response.status_code == 200:
                    return _read_addresses(response.content)
                if response.status_code < 500 and response.status_code not in (401, 429):
                    return None
                problem = f"HTTP {response.status_code}"
                if response.status_code == 401:
                    token = await tokens.renew(refused=token)
            except (*TRANSIENT_ERRORS, ValueError) as error:
                problem = describe(error)
            if not await backoff.wait():
                raise LinkedInUnreachable(
                    f"LinkedIn does not say which webhooks are blocked ({url}): {problem}. Everything stays as it is; the next "
                    "run tries again."
                )
    except CredentialsRefused:
        return None


def _read_addresses(body: bytes) -> list[str]:
    """The addresses of the blocked ones, in whichever field they stand: no sample of an element is published."""
    elements = decode_object(body).get("elements")
    if not isinstance(elements, list):
        raise ValueError("the response has no elements")
    addresses = []
    for element in elements:
        fields = element if isinstance(element, dict) else {}
        if fields.get("webhookStatus", fields.get("status", "BLOCKED")) == "BLOCKED":
            texts = [value for value in fields.values() if isinstance(value, str) and value.startswith(("https://", "http://"))]
            addresses.append(texts[0] if texts else str(fields.get("id", "a webhook without an address")))
    return sorted(set(addresses))
