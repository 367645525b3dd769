"""Settings: environment variables and a `.env` file in the working directory. Secrets are references, resolved late."""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from jobrecon.applications import MAX_LIMIT, Application, Applications, name_nearest, read_applications
from jobrecon.demo.guard import find_demo_file, refuse_mixing
from jobrecon.errors import ConfigurationError
from jobrecon.secrets import find_path_secrets, find_secrets, redact, redact_logs, remember_secrets

PREFIX = "JOBRECON_"
DEFAULT_WEIGHTS = {"CREATE": 4.0, "CLOSE": 3.0, "UPDATE": 2.0, "RENEW": 1.0}


class Settings(BaseSettings):
    """Everything a user can set. Names are the environment variables' without `JOBRECON_`, in lower case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    home: Path = Field(default=Path("./var"), description="Folder of everything that has no place of its own below")
    warehouse: str = Field(default="", description="The writer's DuckDB file, or a `ducklake:` address", repr=False)
    published: Path = Field(default=Path(), description="The copy that analysts open; replaced whole, by rename")
    landing_url: str = Field(default="", description="SQLAlchemy address of the landing database", repr=False)
    reports: Path = Field(default=Path(), description="Reports, one folder per date")
    api_url: str = Field(default="https://api.linkedin.com", description="Where LinkedIn's API is")
    token_url: str = Field(default="https://www.linkedin.com/oauth/v2/accessToken", description="Where tokens are issued")
    applications: Path = Field(default=Path("applications.toml"), description="The customers and their credentials")
    client_id: str = Field(default="", description="Instead of the file, for one application: its client id")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Instead of the file: its client secret")
    application_urn: str = Field(default="", description="Instead of the file: its URN")
    shard: str = Field(default="", description="The shard that this process works on (docs/machines.md); not set: the default shard")
    daily_call_limit: int = Field(
        default=300_000, ge=0, le=MAX_LIMIT, description="Calls per application and UTC day, for `simpleJobPostingTasks`"
    )
    api_version: str = Field(
        default="", description="Version of LinkedIn's API as `YYYYMM`, called at `/rest`; not set: `/v2`, without a version"
    )
    checks: bool = Field(default=True, description="Whether `jobPostingStatus` is used to check jobs: `on` or `off`")
    check_limit: int = Field(default=1_000_000, ge=0, le=MAX_LIMIT, description="Calls per application and UTC day, for `jobPostingStatus`")
    check_every: int = Field(default=86_400, ge=1, description="Seconds after which a job that should be listed is checked again")
    query_string_limit: int = Field(default=4096, ge=80, le=60_000, description="Longest query string of a GET, in bytes as sent")
    concurrency: int = Field(default=8, ge=1, le=256, description="Calls in flight per application")
    first_check_after: int = Field(default=300, ge=0, description="Seconds from request to first poll")
    stuck_after: int = Field(default=3600, ge=0, description="Seconds from request until an unsettled task counts as stuck")
    task_lifespan_days: float = Field(default=30, gt=0, le=36_500, description="Days after which LinkedIn forgets a task")
    unconfirmed_after: int = Field(
        default=86_400, ge=0, description="Seconds without a listing notification until a job counts as unconfirmed"
    )
    expiring_within: int = Field(default=259_200, ge=0, description="Seconds before its time runs out from which a job counts as expiring")
    timezone: str = Field(default="UTC", description="Whose midnight starts the day of a report")
    task_source_url: SecretStr = Field(default=SecretStr(""), description="SQLAlchemy address to pull new tasks from")
    task_source_query: str = Field(default="", description="Query with `:since`, in the columns of the import")
    task_source_overlap: int = Field(default=86_400, ge=0, description="Seconds that each pull reaches back before the last one")
    tick_seconds: int = Field(default=600, ge=1, description="Seconds between runs: the day's calls are spread over the ticks left")
    call_reserve: float = Field(
        default=0.05, ge=0, lt=1, description="Part of the day's calls reserved for urgent tasks; it shrinks to nothing by 00:00 UTC"
    )
    ids_per_call: int | None = Field(
        default=None, ge=1, le=100, description="Tasks in one call; unset: as many as a GET carries, more are sent as a POST"
    )
    weights: dict[str, float] = Field(default=DEFAULT_WEIGHTS, description="Weight of an hour's delay by operation, as JSON")
    lock_wait: float = Field(default=60, ge=0, description="Seconds the writer waits for the warehouse")
    inbox_retention_days: float = Field(
        default=30, ge=0, le=36_500, description="Days that received bodies stay in the landing database once they are merged"
    )
    webhook_paths: str = Field(
        default="/webhook,/healthz,/readyz,/metrics", description="Paths that the receiver serves, with commas; all others are 404"
    )
    stale_after: int = Field(default=7200, ge=0, description="Seconds after which today's report calls its data stale")

    @field_validator("weights")
    @classmethod
    def check_weights(cls, value: dict[str, float]) -> dict[str, float]:
        if any(not 0 < weight < 1e6 for weight in value.values()):
            raise ValueError("each weight must be greater than 0 and less than 1,000,000")
        return value

    retention_days: int = Field(
        default=400, ge=0, description="Days after which weekly maintenance deletes refused rows and report folders; 0: never"
    )
    report_url: str = Field(default="", description="Where the reports folder is served, for links in mails and chat")
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="Mail server, `smtp://user:password@host:587` (STARTTLS) or `smtps://…`; not set: mails are written as `.eml` files",
    )
    mail_from: str = Field(default="", description="Address that mails come from")
    mail_to: str = Field(default="", description="Recipients of the report about all account managers, with commas")
    chat_url: SecretStr = Field(
        default=SecretStr(""),
        description="Chat that gets the verdict of the day: the incoming webhook as Slack or Teams shows it, or an apprise address (`jsons://host/path`)",
    )
    s3_key_id: str = Field(default="", description="Access key id for a lake's data on S3 (`DATA_PATH 's3://…'`)")
    s3_secret: SecretStr = Field(default=SecretStr(""), description="Secret access key for a lake's data on S3")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket")
    s3_endpoint: str = Field(default="", description="Address of an S3-compatible store, `https://host:port`; not set: Amazon's")
    snapshot_days: float = Field(default=7, ge=0, description="Days after which maintenance expires a lake's snapshots")
    parquet: str = Field(default="", description="Folder for the published tables as Parquet files, replaced by each run; not set: none")

    @field_validator("home")
    @classmethod
    def check_home(cls, value: Path) -> Path:
        if "?" in str(value.absolute()):
            # DuckDB and SQLAlchemy take what follows it for parameters: the databases would lie elsewhere.
            raise ValueError("must not hold a question mark; DuckDB cannot keep a file at such a path")
        return value

    @field_validator("api_version")
    @classmethod
    def check_api_version(cls, value: str) -> str:
        if value and not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", value):
            raise ValueError("must be a year and a month, such as 202604")
        return value

    @field_validator("timezone")
    @classmethod
    def check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no such time zone; use a name such as Europe/Berlin") from error
        return value

    @field_validator("webhook_paths")
    @classmethod
    def check_paths(cls, value: str) -> str:
        unknown = {path.strip() for path in value.split(",")} - {"/webhook", "/healthz", "/readyz", "/metrics", ""}
        if unknown:
            raise ValueError("only /webhook, /healthz, /readyz and /metrics can be served")
        return value

    @field_validator("api_url", "token_url", "report_url", "s3_endpoint")
    @classmethod
    def check_address(cls, value: str) -> str:
        if value:
            TypeAdapter(AnyHttpUrl).validate_python(value)
        return value

    @model_validator(mode="after")
    def fill_defaults(self) -> "Settings":
        """Everything of the embedded default lies below `home`."""
        self.warehouse = self.warehouse or str(self.home / "warehouse.duckdb")
        self.shard = "" if self.shard == "default" else self.shard
        if self.shard and not self.is_lake:
            self.warehouse = str(name_for_shard(Path(self.warehouse), self.shard))
        self.published = self.published if self.published != Path() else self.home / "published" / "jobrecon.duckdb"
        self.landing_url = self.landing_url or f"sqlite:///{(self.home / 'landing.db').absolute()}"
        self.reports = self.reports if self.reports != Path() else self.home / "reports"
        for address in (self.warehouse, self.landing_url, self.task_source_url.get_secret_value(), self.smtp_url.get_secret_value()):
            remember_secrets(*find_secrets(address))
        remember_secrets(
            self.client_secret.get_secret_value(), self.s3_secret.get_secret_value(), *find_path_secrets(self.chat_url.get_secret_value())
        )
        return self

    @property
    def is_lake(self) -> bool:
        return self.warehouse.startswith("ducklake:")

    def load_shard(self) -> Applications:
        """The applications of this process's shard. Raises `ConfigurationError` for a shard that none of them names."""
        return self.load_applications().of_shard(self.shard)

    def for_shard(self) -> "Settings":
        """The settings of a shard's run: where there are several shards, each publishes a copy of its own, for `gather`."""
        if len(self.load_applications().shards) == 1:
            return self
        return self.model_copy(update={"published": name_for_shard(self.published, self.shard or "default")})

    def list_webhook_paths(self) -> list[str]:
        return [path.strip() for path in self.webhook_paths.split(",") if path.strip()]

    def describe_warehouse(self) -> str:
        """Where the warehouse lies, without what may be secret in the address of a lake."""
        return redact(self.warehouse)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def environment(self) -> dict[str, str]:
        """Where `env:NAME` references are looked up: the environment before the `.env` file; empty means not set."""
        return {name: value for source in (dotenv_values(".env"), os.environ) for name, value in source.items() if value}

    def load_applications(self) -> Applications:
        """The configured applications; from the file, or the one of `JOBRECON_CLIENT_ID`, `…_SECRET`, `…_APPLICATION_URN`.

        Raises `ConfigurationError` where the file cannot be read. A missing secret is an error only once it is
        needed, so that it stops no other customer.
        """
        if self.client_id or self.application_urn:
            missing = [name for name in ("client_id", "client_secret", "application_urn") if not _text(getattr(self, name))]
            if missing:
                names = ", ".join(f"JOBRECON_{name.upper()}" for name in missing)
                raise ConfigurationError(
                    f"One application is set by environment variables, but {names} is missing. Set it, or unset the others."
                )
            # `models` loads SQLModel, which takes most of a second: not for `--help`.
            from models.values import read_application_urn

            urn = read_application_urn(self.application_urn) or ""
            return Applications(
                [
                    Application(
                        urn=urn,
                        client_id=self.client_id,
                        secret_references=["env:JOBRECON_CLIENT_SECRET"],
                        customer=urn,
                        daily_call_limit=self.daily_call_limit,
                        environment=self.environment | {"JOBRECON_CLIENT_SECRET": self.client_secret.get_secret_value()},
                    )
                ],
                parent=None,
            )
        return read_applications(self.applications, self.daily_call_limit, self.environment)


def name_for_shard(path: Path, shard: str) -> Path:
    """The path of a shard's own file: `warehouse-b.duckdb` for `warehouse.duckdb`."""
    return path.with_name(f"{path.stem}-{shard}{path.suffix}")


def _text(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; an override that is None is none. Raises `ConfigurationError` that names each wrong or unknown variable, never its value."""
    settings = _read_settings(**{name: value for name, value in overrides.items() if value is not None})
    if unknown := find_unknown(settings.applications):
        lines = [f"  {name} is not known; did you mean {nearest}?" for name, nearest in unknown.items()]
        raise ConfigurationError("Settings that do not exist. Nothing was changed.\n" + "\n".join(lines))
    return settings


def find_unknown(applications: Path) -> dict[str, str]:
    """The variables `JOBRECON_…` that are no settings, with the nearest setting; those that a client secret refers to are fine."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    try:
        referenced = set(re.findall(r"env:(\w+)", applications.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        referenced = set()
    named = {name for source in (os.environ, dotenv_values(".env")) for name, value in source.items() if value}
    unknown = sorted(name for name in named - referenced if name.upper().startswith(PREFIX) and name.upper() not in known)
    return {name: name_nearest(name.upper(), known) for name in unknown}


def _read_settings(**overrides: Any) -> Settings:
    redact_logs()
    try:
        settings = Settings(**overrides)
        demo_file = find_demo_file(settings.home)
        if demo_file is None:
            return settings
        # A demo's home brings its own settings, instead of the working directory's.
        refuse_mixing(demo_file, os.environ)
        return Settings(_env_file=demo_file, **(overrides | {"home": settings.home}))
    except ValidationError as error:
        lines = [
            f"  JOBRECON_{str(problem['loc'][0]).upper() if problem['loc'] else ''}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise ConfigurationError("Settings that cannot be used. Nothing was changed.\n" + "\n".join(lines)) from None
    except SettingsError as error:
        # A value that should be JSON; the error names the field, not the value.
        name = re.search(r'field "(\w+)"', str(error))
        raise ConfigurationError(
            f"Settings that cannot be used. Nothing was changed.\n  JOBRECON_{name.group(1).upper() if name else ''}: must be JSON"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file .env cannot be read: {type(error).__name__}. Nothing was changed.") from None
