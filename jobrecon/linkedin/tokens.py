"""Access tokens: one per application, cached in the landing database, renewed by one worker for all.

A renewal is no httpx.Auth flow: the repeated call has to be charged to the ledger first, so the client repeats it.
"""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session

from jobrecon.applications import Application
from jobrecon.clock import Clock, utc_now
from jobrecon.errors import CredentialsRefused, LinkedInUnreachable
from jobrecon.landing.database import explain_landing_errors, insert_or
from jobrecon.linkedin.responses import MalformedResponse, decode_object
from jobrecon.linkedin.retry import TRANSIENT_ERRORS, Backoff, describe
from jobrecon.secrets import redact, remember_secrets
from models import CachedToken
from models.base import table_of

TABLE = table_of(CachedToken)
EXPIRY_LEEWAY = timedelta(seconds=60)
"""A token that expires this soon is renewed before it is used."""
DEFAULT_LIFETIME_SECONDS = 1800.0


def read_lifetime_seconds(expires_in: Any) -> float:
    """`expires_in` arrives as a number or as a string; anything else counts as LinkedIn's usual 30 minutes."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFETIME_SECONDS
    return seconds if 0 < seconds < 10**9 else DEFAULT_LIFETIME_SECONDS


def is_token(value: Any) -> bool:
    """Whether this can be sent as a bearer token: visible ASCII, nothing a header cannot carry."""
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None


class TokenCache:
    """The token of one application, shared by all workers and runs until it expires."""

    def __init__(self, application: Application, token_url: str, engine: Engine, http: httpx.AsyncClient, clock: Clock = utc_now) -> None:
        self.application = application
        self.token_url = token_url
        self.engine = engine
        self.http = http
        self.clock = clock
        self._lock = asyncio.Lock()
        self._current: tuple[SecretStr, datetime] | None = None

    async def get(self) -> SecretStr:
        """A token that LinkedIn should accept: the cached one, or a new one."""
        if self._current and self._current[1] - EXPIRY_LEEWAY > self.clock():
            return self._current[0]
        return await self._replace(refused=None)

    async def renew(self, refused: SecretStr) -> SecretStr:
        """Another token than the one LinkedIn refused. However many workers call this, one renewal is made."""
        return await self._replace(refused)

    async def _replace(self, refused: SecretStr | None) -> SecretStr:
        async with self._lock:
            for cached in (self._current, await asyncio.to_thread(self._read_cached)):
                if cached and cached[0] != refused and cached[1] - EXPIRY_LEEWAY > self.clock():
                    self._current = cached
                    return cached[0]
            self._current = await self.fetch()
            await asyncio.to_thread(self._write_cached, *self._current)
            return self._current[0]

    async def fetch(self) -> tuple[SecretStr, datetime]:
        """A new token from LinkedIn and when it expires; the secrets are tried newest first."""
        refusal = ""
        secrets = self.application.load_secrets()
        for secret in secrets:
            status, body = await self._post(secret)
            if status == 200:
                remember_secrets(body["access_token"])
                return SecretStr(body["access_token"]), self.clock() + timedelta(seconds=read_lifetime_seconds(body.get("expires_in")))
            refusal = f"HTTP {status}, {body.get('error', 'no error named')}: {body.get('error_description', 'no description')}"
        raise CredentialsRefused(
            f"LinkedIn gives no token to {self.application.urn} ({self.application.customer}): {redact(refusal)}. "
            "Its tasks stay as they are and are polled once that is mended. Check its client_id and client_secrets in applications.toml.",
            application_urn=self.application.urn,
        )

    async def _post(self, secret: SecretStr) -> tuple[int, dict[str, Any]]:
        """Status and body of the response: a 200 has a token in it, one without is retried."""
        form = {"grant_type": "client_credentials", "client_id": self.application.client_id, "client_secret": secret.get_secret_value()}
        backoff = Backoff()
        while True:
            try:
                response = await self.http.post(self.token_url, data=form)
                status, body = response.status_code, _read_object(response.content)
                problem = f"HTTP {status}"
                if status == 200:
                    if is_token(body.get("access_token")):
                        return status, body
                    problem += " without a token"
                elif status < 500 and status != 429:
                    return status, body
            except TRANSIENT_ERRORS as error:
                problem = describe(error)
            if not await backoff.wait():
                raise LinkedInUnreachable(
                    f"{self.token_url} gives no token to {self.application.urn}: {redact(problem)}. Its tasks stay as they are. "
                    "Check the network from this machine; the next run tries again.",
                    application_urn=self.application.urn,
                )

    def _read_cached(self) -> tuple[SecretStr, datetime] | None:
        with explain_landing_errors(self.engine), Session(self.engine) as session:
            if (cached := session.get(CachedToken, self.application.urn)) is None:
                return None
            remember_secrets(cached.access_token)
            return SecretStr(cached.access_token), cached.expires_at

    def _write_cached(self, token: SecretStr, expires_at: datetime) -> None:
        values = {"access_token": token.get_secret_value(), "obtained_at": self.clock(), "expires_at": expires_at}
        with explain_landing_errors(self.engine), self.engine.begin() as connection:
            # Another process may write its own at the same time.
            statement = insert_or(connection, TABLE).values(application_urn=self.application.urn, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["application_urn"], set_=values))


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        return decode_object(body)
    except MalformedResponse:
        return {}
