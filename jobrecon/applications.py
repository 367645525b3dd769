"""Applications: one per customer, with credentials that are references, never the secrets themselves."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from jobrecon.errors import ConfigurationError
from jobrecon.secrets import KINDS, is_reference, resolve_secret

MAX_LIMIT = 2**31 - 1
"""What the ledger's column holds."""


@dataclass(frozen=True)
class Parent:
    """The partner's own application: its secrets are tried for signatures and challenges."""

    secret_references: list[str]
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)

    def load_secrets(self) -> list[SecretStr]:
        return _load_available(self.secret_references, self.environment)


@dataclass(frozen=True)
class Application:
    """A customer's application at LinkedIn."""

    urn: str
    client_id: str
    secret_references: list[str]
    customer: str
    account_manager: str | None = None
    account_manager_email: str | None = None
    daily_call_limit: int = 300_000
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)

    def load_secrets(self) -> list[SecretStr]:
        """Its secrets, newest first, read anew at each call so that they rotate without a restart.

        A reference that leads nowhere is passed over while another one works; raises `ConfigurationError` if none does.
        """
        return _load_available(self.secret_references, self.environment)


def _load_available(references: list[str], environment: Mapping[str, str]) -> list[SecretStr]:
    secrets, problem = [], None
    for reference in references:
        try:
            secrets.append(resolve_secret(reference, environment))
        except ConfigurationError as error:
            problem = problem or error
    if not secrets and problem:
        raise problem
    return secrets


@dataclass(frozen=True)
class Applications:
    """All configured applications, in the order of the file."""

    items: list[Application]
    parent: Parent | None = None

    def __iter__(self) -> Iterator[Application]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def find(self, urn: str) -> Application | None:
        return next((application for application in self.items if application.urn == urn), None)


def read_applications(path: Path, daily_call_limit: int, environment: Mapping[str, str]) -> Applications:
    """Read `applications.toml`. An absent file means no application. Raises `ConfigurationError` with every problem found."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Applications([])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}. Nothing was changed.") from None
    problems: list[str] = []
    entries = document.get("applications", [])
    if not isinstance(entries, list):
        entries, problems = [], ["`applications` must be a list: write [[applications]] with two brackets"]
    items = [_read_application(entry, index, daily_call_limit, environment, problems) for index, entry in enumerate(entries, start=1)]
    parent = document.get("parent")
    if parent is not None and not isinstance(parent, dict):
        parent, problems = None, [*problems, "`parent` must be a table: write [parent], with client_secrets below it"]
    parent_references = _read_references(parent, "[parent]", problems) if parent is not None else []
    urns = [item.urn for item in items if item.urn]
    problems += [f"{urn} stands there more than once" for urn in sorted({urn for urn in urns if urns.count(urn) > 1})]
    if problems:
        raise ConfigurationError(f"{path} cannot be used. Nothing was changed.\n" + "\n".join(f"  {problem}" for problem in problems))
    return Applications(items, Parent(parent_references, environment) if parent_references else None)


def _read_application(entry: Any, index: int, daily_call_limit: int, environment: Mapping[str, str], problems: list[str]) -> Application:
    where = f"[[applications]] number {index}"
    entry = entry if isinstance(entry, dict) else {}
    texts: dict[str, str | None] = {}
    for name in ("urn", "client_id", "customer", "account_manager", "account_manager_email"):
        value = entry.get(name)
        if value is not None and not (isinstance(value, str) and value.strip()):
            problems.append(f"{where}: {name} must be text")
            value = None
        elif value is None and name in ("urn", "client_id"):
            problems.append(f"{where}: {name} is missing")
        texts[name] = value
    limit = entry.get("daily_call_limit", daily_call_limit)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= MAX_LIMIT:
        problems.append(f"{where}: daily_call_limit must be a whole number from 0 to {MAX_LIMIT}")
        limit = daily_call_limit
    return Application(
        urn=texts["urn"] or "",
        client_id=texts["client_id"] or "",
        secret_references=_read_references(entry, where, problems),
        customer=texts["customer"] or texts["urn"] or "",
        account_manager=texts["account_manager"],
        account_manager_email=texts["account_manager_email"],
        daily_call_limit=limit,
        environment=environment,
    )


def _read_references(entry: dict[str, Any], where: str, problems: list[str]) -> list[str]:
    references = entry.get("client_secrets")
    if not isinstance(references, list) or not references or not all(isinstance(item, str) for item in references):
        problems.append(f'{where}: client_secrets must be a list such as ["env:ACME_SECRET"]')
        return []
    for reference in references:
        if not is_reference(reference):
            problems.append(f"{where}: each of client_secrets must be {KINDS}, never the secret itself")
            break
    return references
