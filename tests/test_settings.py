"""Settings: the contract's variables and defaults, where they are read from, and how a wrong one is reported."""

import os
from pathlib import Path

import pytest

from jobrecon.cli.settings import describe_settings
from jobrecon.errors import ConfigurationError
from jobrecon.settings import Settings, load_settings

URL = "https://www.linkedin.com/oauth/v2/accessToken"

DEFAULTS = [
    # variable, field, default, another value as text, as read
    ("JOBRECON_HOME", "home", Path("var"), "/srv/jobrecon", Path("/srv/jobrecon")),
    ("JOBRECON_WAREHOUSE", "warehouse", "var/warehouse.duckdb", "ducklake:sqlite:lake.db", "ducklake:sqlite:lake.db"),
    ("JOBRECON_PUBLISHED", "published", Path("var/published/jobrecon.duckdb"), "copy.duckdb", Path("copy.duckdb")),
    ("JOBRECON_REPORTS", "reports", Path("var/reports"), "out", Path("out")),
    ("JOBRECON_API_URL", "api_url", "https://api.linkedin.com", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("JOBRECON_TOKEN_URL", "token_url", URL, "http://[::1]:8080/token", "http://[::1]:8080/token"),
    ("JOBRECON_APPLICATIONS", "applications", Path("applications.toml"), "/etc/customers.toml", Path("/etc/customers.toml")),
    ("JOBRECON_CLIENT_ID", "client_id", "", "78acme", "78acme"),
    ("JOBRECON_APPLICATION_URN", "application_urn", "", "urn:li:developerApplication:1", "urn:li:developerApplication:1"),
    ("JOBRECON_DAILY_CALL_LIMIT", "daily_call_limit", 300_000, "0", 0),
    ("JOBRECON_CHECKS", "checks", True, "off", False),
    ("JOBRECON_CHECK_LIMIT", "check_limit", 1_000_000, "0", 0),
    ("JOBRECON_CHECK_EVERY", "check_every", 86_400, "3600", 3600),
    ("JOBRECON_QUERY_STRING_LIMIT", "query_string_limit", 4096, "2048", 2048),
    ("JOBRECON_CONCURRENCY", "concurrency", 8, "1", 1),
    ("JOBRECON_FIRST_CHECK_AFTER", "first_check_after", 300, "0", 0),
    ("JOBRECON_STUCK_AFTER", "stuck_after", 3600, "60", 60),
    ("JOBRECON_TASK_LIFESPAN_DAYS", "task_lifespan_days", 30.0, "0.5", 0.5),
    ("JOBRECON_UNCONFIRMED_AFTER", "unconfirmed_after", 86_400, "1", 1),
    ("JOBRECON_EXPIRING_WITHIN", "expiring_within", 259_200, "0", 0),
    ("JOBRECON_TASK_SOURCE_OVERLAP", "task_source_overlap", 86_400, "60", 60),
    ("JOBRECON_TIMEZONE", "timezone", "UTC", "Europe/Berlin", "Europe/Berlin"),
    ("JOBRECON_TASK_SOURCE_QUERY", "task_source_query", "", "select 1", "select 1"),
]
IDS = [row[0] for row in DEFAULTS]


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable of ours set."""
    for name in list(os.environ):
        if name.upper().startswith("JOBRECON_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("variable", "name", "default", "text", "value"), DEFAULTS, ids=IDS)
def test_each_variable_has_its_default_and_can_be_set(
    variable: str, name: str, default: object, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert getattr(load_settings(), name) == default
    monkeypatch.setenv(variable, "")
    assert getattr(load_settings(), name) == default, "empty means the default"
    monkeypatch.setenv(variable, text)
    assert getattr(load_settings(), name) == value


@pytest.mark.parametrize(("variable", "name", "default", "text", "value"), DEFAULTS, ids=IDS)
def test_each_variable_is_read_from_a_dot_env_file_which_the_environment_beats(
    variable: str, name: str, default: object, text: str, value: object, bare_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare_environment / ".env").write_text(f"# comment\n{variable}='{text}'\nOTHER=1\n", encoding="utf-8")
    assert getattr(load_settings(), name) == value
    monkeypatch.setenv(variable, "")
    assert getattr(load_settings(), name) == value
    other = str(default) if default else "other"
    monkeypatch.setenv(variable, other)
    assert str(getattr(load_settings(), name)) == other


def test_everything_of_the_embedded_default_lies_below_home(bare_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().landing_url == f"sqlite:///{bare_environment}/var/landing.db"
    monkeypatch.setenv("JOBRECON_HOME", "/srv/jobrecon")
    settings = load_settings()
    assert settings.warehouse == "/srv/jobrecon/warehouse.duckdb"
    assert settings.published == Path("/srv/jobrecon/published/jobrecon.duckdb")
    assert settings.landing_url == "sqlite:////srv/jobrecon/landing.db"
    assert settings.reports == Path("/srv/jobrecon/reports")
    monkeypatch.setenv("JOBRECON_LANDING_URL", "postgresql+psycopg://host/db")
    assert load_settings().landing_url == "postgresql+psycopg://host/db"


def test_the_api_version_is_a_year_and_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().api_version == ""
    monkeypatch.setenv("JOBRECON_API_VERSION", "202604")
    assert load_settings().api_version == "202604"


WRONG = [
    # variable, value that must not be repeated
    ("JOBRECON_HOME", "hunter2?/var"),
    ("JOBRECON_API_URL", "hunter2.example.com"),
    ("JOBRECON_API_URL", "http://hunter2:99999"),
    ("JOBRECON_TOKEN_URL", "ftp://hunter2"),
    ("JOBRECON_TOKEN_URL", "http://"),
    ("JOBRECON_DAILY_CALL_LIMIT", "-1"),
    ("JOBRECON_DAILY_CALL_LIMIT", "hunter2"),
    ("JOBRECON_DAILY_CALL_LIMIT", "99999999999"),
    ("JOBRECON_QUERY_STRING_LIMIT", "79"),
    ("JOBRECON_QUERY_STRING_LIMIT", "1000000"),
    ("JOBRECON_API_VERSION", "202613"),
    ("JOBRECON_API_VERSION", "v2"),
    ("JOBRECON_CHECKS", "hunter2"),
    ("JOBRECON_CHECK_EVERY", "0"),
    ("JOBRECON_CONCURRENCY", "0"),
    ("JOBRECON_CONCURRENCY", "hunter2"),
    ("JOBRECON_FIRST_CHECK_AFTER", "-300"),
    ("JOBRECON_STUCK_AFTER", "1h"),
    ("JOBRECON_TASK_LIFESPAN_DAYS", "0"),
    ("JOBRECON_TASK_LIFESPAN_DAYS", "inf"),
    ("JOBRECON_TASK_LIFESPAN_DAYS", "nan"),
    ("JOBRECON_UNCONFIRMED_AFTER", "hunter2"),
    ("JOBRECON_WEIGHTS", "hunter2"),
    ("JOBRECON_WEIGHTS", '{"CREATE": "hunter2"}'),
    ("JOBRECON_WEIGHTS", "[1]"),
    ("JOBRECON_TIMEZONE", "Mars/hunter2"),
    ("JOBRECON_TIMEZONE", "../../etc/passwd"),
]


@pytest.mark.parametrize(("variable", "value"), WRONG, ids=[f"{variable}={value}" for variable, value in WRONG])
def test_a_wrong_value_is_told_by_its_variable_and_not_repeated(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"{variable}: ") as caught:
        load_settings()
    assert caught.value.exit_status == 2
    assert len(value) < 4 or value not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBRECON_TIMEZONE", "Mars")
    monkeypatch.setenv("JOBRECON_CONCURRENCY", "many")
    with pytest.raises(ConfigurationError, match=r"JOBRECON_CONCURRENCY.*\n.*JOBRECON_TIMEZONE"):
        load_settings()


@pytest.mark.parametrize("content", [b"JOBRECON_HOME=\xff\xfe", None], ids=["no-utf8", "folder"])
def test_a_dot_env_that_cannot_be_read_is_told_and_one_that_is_a_folder_passed_over(content: bytes | None) -> None:
    if content is None:
        Path(".env").mkdir()
        assert load_settings().home == Path("var")
        return
    Path(".env").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"\.env"):
        load_settings()


UNKNOWN = [
    # variable, the setting that is named
    ("JOBRECON_CONCURENCY", "JOBRECON_CONCURRENCY"),
    ("JOBRECON_URL", "JOBRECON_API_URL"),
    ("jobrecon_home_", "JOBRECON_HOME"),
]


@pytest.mark.parametrize("is_in_file", [False, True])
@pytest.mark.parametrize(("variable", "nearest"), UNKNOWN)
def test_an_unknown_variable_is_an_error_that_names_the_nearest_known_one(
    variable: str, nearest: str, is_in_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_in_file:
        Path(".env").write_text(f"{variable}=hunter2\nOTHER=1\n", encoding="utf-8")
    else:
        monkeypatch.setenv(variable, "hunter2")
    with pytest.raises(ConfigurationError, match=f"{variable} is not known; did you mean {nearest}\\?") as caught:
        load_settings()
    assert caught.value.exit_status == 2
    assert "hunter2" not in str(caught.value)


def test_a_variable_that_a_client_secret_refers_to_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBRECON_ACME_SECRET", "hunter2")
    Path("applications.toml").write_text(
        '[[applications]]\nurn = 7\nclient_id = "c"\nclient_secrets = ["env:JOBRECON_ACME_SECRET"]\n', encoding="utf-8"
    )
    (application,) = load_settings().load_applications()
    assert application.urn == "urn:li:developerApplication:7"


def test_every_setting_is_listed_with_its_origin_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("JOBRECON_CONCURRENCY=3\nJOBRECON_STUCK_AFTER=5\n", encoding="utf-8")
    monkeypatch.setenv("JOBRECON_STUCK_AFTER", "60")
    monkeypatch.setenv("JOBRECON_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("JOBRECON_LANDING_URL", "postgresql+psycopg://me@host/db?password=hunter2&sslpassword=hunter3")
    rows = {variable: (value, origin) for variable, value, origin in describe_settings(load_settings())}
    assert len(rows) == len(Settings.model_fields)
    assert rows["JOBRECON_STUCK_AFTER"] == ("60", "environment")
    assert rows["JOBRECON_CONCURRENCY"] == ("3", ".env")
    assert rows["JOBRECON_CHECKS"] == ("on", "default")
    assert rows["JOBRECON_CLIENT_SECRET"] == ("***", "environment")
    assert rows["JOBRECON_LANDING_URL"][0] == "postgresql+psycopg://me@host/db?password=***&sslpassword=***"


def test_no_secret_is_shown_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBRECON_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("JOBRECON_LANDING_URL", "postgresql+psycopg://me:hunter2@host/db")
    monkeypatch.setenv("JOBRECON_WAREHOUSE", "ducklake:postgres:dbname=lake password=hunter2")
    monkeypatch.setenv("JOBRECON_TASK_SOURCE_URL", "postgresql+psycopg://me:hunter2@host/db")
    settings = load_settings()
    assert settings.client_secret.get_secret_value() == "hunter2"
    assert settings.task_source_url.get_secret_value().endswith("hunter2@host/db")
    assert "hunter2" not in repr(settings) + str(settings)


def set_one(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"JOBRECON_{name.upper()}", value)


def test_one_application_can_be_set_by_variables_instead_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("applications.toml").write_text("no toml", encoding="utf-8")
    set_one(monkeypatch, client_id="78acme", client_secret="hunter2", application_urn="urn:1", daily_call_limit="7")
    applications = load_settings().load_applications()
    (application,) = applications
    assert (application.urn, application.client_id, application.daily_call_limit) == ("urn:1", "78acme", 7)
    assert [secret.get_secret_value() for secret in application.load_secrets()] == ["hunter2"]
    assert "hunter2" not in repr(applications)


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "application_urn"])
def test_an_application_set_by_halves_is_told(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"client_id": "78acme", "client_secret": "hunter2", "application_urn": "urn:1"}
    set_one(monkeypatch, **{name: value for name, value in parts.items() if name != missing})
    with pytest.raises(ConfigurationError, match=f"JOBRECON_{missing.upper()} is missing") as caught:
        load_settings().load_applications()
    assert "hunter2" not in str(caught.value)


def test_secret_references_look_into_the_environment_before_the_dot_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("applications.toml").write_text('[[applications]]\nurn = "u"\nclient_id = "c"\nclient_secrets = ["env:S"]\n', encoding="utf-8")
    Path(".env").write_text("S=from-file\n", encoding="utf-8")

    def load() -> list[str]:
        (application,) = load_settings().load_applications()
        return [secret.get_secret_value() for secret in application.load_secrets()]

    assert load() == ["from-file"]
    monkeypatch.setenv("S", "")
    assert load() == ["from-file"]
    monkeypatch.setenv("S", "from-environment")
    assert load() == ["from-environment"]


def test_without_file_and_variables_no_application_is_configured() -> None:
    assert len(load_settings().load_applications()) == 0


def test_every_field_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
