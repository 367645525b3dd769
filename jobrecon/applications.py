"""Applications: one per customer, with credentials that are references, never the secrets themselves."""

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from jobrecon.errors import ConfigurationError
from jobrecon.secrets import remember_secrets

MAX_LIMIT = 2**31 - 1
"""What the ledger's column holds."""
REFERENCES = "`env:NAME`, `file:/path` or `prefect:block`"


class _SecretOwner:
    """An application with references to its secrets, newest first. They are read anew at each call, so that they rotate without a restart."""

    secret_references: list[str]
    environment: Mapping[str, str]

    def number_secrets(self) -> dict[int, SecretStr]:
        """Its secrets by the number of their reference, from 1 for the newest.

        A reference that cannot be resolved is skipped while another one can; raises `ConfigurationError` if none does.
        """
        secrets, problem = {}, None
        for number, reference in enumerate(self.secret_references, start=1):
            try:
                secrets[number] = resolve_secret(reference, self.environment)
            except ConfigurationError as error:
                problem = problem or error
        if not secrets and problem:
            raise problem
        return secrets

    def load_secrets(self) -> list[SecretStr]:
        """Its secrets, newest first; raises as `number_secrets` does."""
        return list(self.number_secrets().values())


@dataclass(frozen=True)
class Parent(_SecretOwner):
    """The partner's own application: its secrets are tried for signatures and challenges."""

    secret_references: list[str]
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)
    client_id: str | None = None
    """With it the webhook's state is read from LinkedIn."""


@dataclass(frozen=True)
class Application(_SecretOwner):
    """A customer's application at LinkedIn."""

    urn: str
    client_id: str
    secret_references: list[str]
    customer: str
    account_manager: str | None = None
    account_manager_email: str | None = None
    daily_call_limit: int = 300_000
    is_retired: bool = False
    """Its history stays; nothing is fetched or expected any more."""
    shard: str = ""
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)

    def to_customer(self) -> dict[str, Any]:
        """Its row in the table `customers`."""
        names = ("customer", "account_manager", "account_manager_email", "daily_call_limit")
        row = {name: getattr(self, name) for name in names}
        return {"application_urn": self.urn, **row, "retired": self.is_retired}


@dataclass(frozen=True)
class Applications:
    """The configured applications, in the order of the file: all, or those of one shard."""

    items: list[Application]
    parent: Parent | None = None
    others: list[str] = field(default_factory=list)
    """URNs of the applications of other shards. What is about them is theirs."""
    is_default_shard: bool = True
    """Whether what names no configured application belongs to these."""

    def __iter__(self) -> Iterator[Application]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def active(self) -> list[Application]:
        """Those that are not retired."""
        return [application for application in self.items if not application.is_retired]

    def find(self, urn: str) -> Application | None:
        return next((application for application in self.items if application.urn == urn), None)

    def owns(self, application_urn: str | None) -> bool:
        """Whether what is about an application belongs to these."""
        return application_urn not in self.others and (self.is_default_shard or self.find(application_urn or "") is not None)

    @property
    def is_sharded(self) -> bool:
        """Whether these are one shard of several."""
        return bool(self.others) or not self.is_default_shard

    @property
    def shards(self) -> list[str]:
        """The names of all shards; the first is the default shard, which always exists."""
        return sorted({"", *(application.shard for application in self.items)})

    def of_shard(self, shard: str) -> "Applications":
        """The applications of one shard. Raises `ConfigurationError` for a shard that no application names."""
        if shard not in self.shards:
            known = ", ".join(self.shards[1:]) or "none"
            raise ConfigurationError(
                f"No application has the shard {shard!r}; the shards of applications.toml: {known}. Nothing was changed. "
                "Correct --shard or JOBRECON_SHARD, or name the shard in applications.toml."
            )
        own = [application for application in self.items if application.shard == shard]
        others = [application.urn for application in self.items if application.shard != shard]
        return Applications(own, self.parent, others, is_default_shard=not shard)


def _check_shard(text: str) -> str:
    if text == "default":
        raise ValueError
    return text


UNSHARDED = Applications([])
"""Owns everything."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _check_reference(text: str) -> str:
    """The form alone is checked here; what it points to is read when it is needed."""
    kind, _, place = text.partition(":")
    if not place or kind not in ("env", "file", "prefect"):
        raise ValueError
    return text


Shard = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$"), AfterValidator(_check_shard)]


class _Table(BaseModel):
    """A table of the file: a key that is not known is a typo, not something to ignore."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _read_urn(value: Any) -> Any:
    # `models` loads SQLModel, which takes most of a second: not for `--help`.
    from models.values import read_application_urn

    try:
        return read_application_urn(value) or ""
    except ValueError:
        return value


class _Entry(_Table):
    urn: Annotated[Text, BeforeValidator(_read_urn)]
    client_id: Text
    client_secrets: Annotated[list[Annotated[str, AfterValidator(_check_reference)]], Field(min_length=1)]
    customer: Text | None = None
    account_manager: Text | None = None
    account_manager_email: Text | None = None
    daily_call_limit: Annotated[int, Field(ge=0, le=MAX_LIMIT)] | None = None
    retired: bool = False
    shard: Shard | None = None


class _ParentEntry(_Table):
    client_id: Text | None = None
    client_secrets: Annotated[list[Annotated[str, AfterValidator(_check_reference)]], Field(min_length=1)]


class _File(_Table):
    applications: list[_Entry] = []
    parent: _ParentEntry | None = None


def read_applications(path: Path, daily_call_limit: int, environment: Mapping[str, str]) -> Applications:
    """Read `applications.toml`. An absent file means no application. Raises `ConfigurationError` with every problem found."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Applications([])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}. Nothing was changed.") from None
    try:
        file = _File.model_validate(document)
        problems = []
    except ValidationError as error:
        file, problems = _File(), list(dict.fromkeys(map(_describe_problem, error.errors(include_input=False, include_url=False))))
    entries = document.get("applications")
    urns = Counter(str(_read_urn(entry.get("urn"))) for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else {}
    problems += [f"{urn} is listed more than once" for urn, count in sorted(urns.items()) if urn and count > 1]
    if problems:
        raise ConfigurationError(f"{path} cannot be used. Nothing was changed.\n" + "\n".join(f"  {problem}" for problem in problems))
    items = [
        Application(
            urn=entry.urn,
            client_id=entry.client_id,
            secret_references=entry.client_secrets,
            customer=entry.customer or entry.urn,
            account_manager=entry.account_manager,
            account_manager_email=entry.account_manager_email,
            daily_call_limit=daily_call_limit if entry.daily_call_limit is None else entry.daily_call_limit,
            is_retired=entry.retired,
            shard=entry.shard or "",
            environment=environment,
        )
        for entry in file.applications
    ]
    return Applications(items, Parent(file.parent.client_secrets, environment, file.parent.client_id) if file.parent else None)


def name_nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one: what was probably meant."""
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0)[0]


EXPECTED = {
    "client_secrets": 'client_secrets must be a list such as ["env:ACME_SECRET"]',
    "retired": "retired must be true or false",
    "shard": "shard must be lower-case letters, digits and dashes, at most 30, and not `default`",
    "daily_call_limit": f"daily_call_limit must be a whole number from 0 to {MAX_LIMIT}",
}


def _describe_problem(problem: Any) -> str:
    """What is wrong and where, without the value: it may be a secret, written there by mistake."""
    model: type[_Table]
    table, *rest = problem["loc"]
    if not rest and problem["type"] == "extra_forbidden":
        return f"`{table}` is not known; did you mean `{name_nearest(table, _File.model_fields)}`?"
    if table == "applications":
        if not rest:
            return "`applications` must be a list: write [[applications]] with two brackets"
        where, model = f"[[applications]] number {rest.pop(0) + 1}", _Entry
    else:
        if not rest:
            return "`parent` must be a table: write [parent], with client_secrets below it"
        where, model = "[parent]", _ParentEntry
    if not rest:
        return f"{where} must be a table"
    name, *item = rest
    if problem["type"] == "extra_forbidden":
        return f"{where}: {name} is not known; did you mean {name_nearest(name, model.model_fields)}?"
    if item and problem["type"] == "value_error":
        return f"{where}: each of client_secrets must be {REFERENCES}, never the secret itself"
    if name in EXPECTED:
        return f"{where}: {EXPECTED[name]}"
    return f"{where}: {name} " + ("is missing" if problem["type"] == "missing" else "must be text")


def resolve_secret(reference: str, environment: Mapping[str, str]) -> SecretStr:
    """The secret that a reference points to, wrapped, and redacted from now on. Raises `ConfigurationError` without its value.

    `env:NAME` and `file:/path` are read here, `prefect:block` by the room that knows Prefect, loaded only then.
    """
    secret = _read_reference(reference, environment)
    remember_secrets(secret.get_secret_value())
    return secret


def _read_reference(reference: str, environment: Mapping[str, str]) -> SecretStr:
    kind, _, place = reference.partition(":")
    if kind == "env":
        if value := environment.get(place, ""):
            return SecretStr(value)
        raise ConfigurationError(f"The environment variable {place}, which a client secret refers to, is not set or empty. Set it.")
    if kind == "file":
        return _read_file(place)
    if kind == "prefect":
        secret: SecretStr = import_module("flows.secrets").read_secret(place)
        return secret
    # The reference may be the secret itself, written there by mistake: do not print it.
    raise ConfigurationError(f"A client secret must be a reference, {REFERENCES}, never the secret itself.")


def _read_file(place: str) -> SecretStr:
    try:
        if value := Path(place).read_text(encoding="utf-8-sig").strip():
            return SecretStr(value)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The file {place}, which a client secret refers to, cannot be read: {type(error).__name__}.") from None
    raise ConfigurationError(f"The file {place}, which a client secret refers to, is empty.")
