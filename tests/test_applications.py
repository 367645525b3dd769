"""applications.toml: every mistake is named, with its place, and never a secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from jobrecon.applications import Application, Applications, read_applications, resolve_secret
from jobrecon.errors import ConfigurationError

ACME = "urn:li:developerApplication:1001"
BOLT = "urn:li:developerApplication:1002"
SECRET = "s3cr3t-v4lue"

WHOLE = """
[[applications]]
urn = "urn:li:developerApplication:1001"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET", "file:{file}"]
customer = "Acme"
account_manager = "Dana Fox"
account_manager_email = "dana@example.com"
daily_call_limit = 5

[[applications]]
urn = "urn:li:developerApplication:1002"
client_id = "78bolt"
client_secrets = ["env:BOLT_SECRET"]

[parent]
client_secrets = ["env:PARENT_SECRET"]
"""
LEAST = '[[applications]]\nurn = "urn:1"\nclient_id = "a"\nclient_secrets = ["env:A"]\n'


def read(folder: Path, text: str, **environment: str) -> Applications:
    path = folder / "applications.toml"
    path.write_text(text, encoding="utf-8")
    return read_applications(path, 300_000, environment)


def values(secrets: list[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def test_a_whole_file_is_read_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("acme-old\n", encoding="utf-8")
    text = WHOLE.replace("{file}", str(tmp_path / "old"))
    applications = read(tmp_path, text, ACME_SECRET="acme-new", BOLT_SECRET="bolt", PARENT_SECRET="parent")
    acme, bolt = applications
    assert (acme.urn, acme.client_id, acme.customer, acme.daily_call_limit) == (ACME, "78acme", "Acme", 5)
    assert (acme.account_manager, acme.account_manager_email) == ("Dana Fox", "dana@example.com")
    assert (bolt.customer, bolt.account_manager, bolt.daily_call_limit) == (BOLT, None, 300_000)
    assert values(acme.load_secrets()) == ["acme-new", "acme-old"]
    assert applications.parent is not None
    assert values(applications.parent.load_secrets()) == ["parent"]
    assert (len(applications), applications.find(BOLT), applications.find("urn:9")) == (2, bolt, None)


@pytest.mark.parametrize("urn", ["1001", '"1001"', '" urn:li:developerApplication:1001 "'])
def test_an_application_may_be_named_by_its_number(urn: str, tmp_path: Path) -> None:
    (application,) = read(tmp_path, LEAST.replace('"urn:1"', urn))
    assert application.urn == ACME
    with pytest.raises(ConfigurationError, match=f"{ACME} is listed more than once"):
        read(tmp_path, LEAST.replace('"urn:1"', urn) + LEAST.replace("urn:1", ACME))


def test_an_application_may_be_retired_and_the_parent_have_a_client_id(tmp_path: Path) -> None:
    applications = read(tmp_path, LEAST + 'retired = true\n[parent]\nclient_id = "78parent"\nclient_secrets = ["env:P"]\n')
    assert [item.is_retired for item in applications] == [True]
    assert applications.parent is not None
    assert applications.parent.client_id == "78parent"


def test_a_byte_order_mark_is_passed_over_in_the_file_and_in_secrets(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\ufeffword\n", encoding="utf-8")
    (application,) = read(tmp_path, "\ufeff" + LEAST.replace("env:A", f"file:{tmp_path / 'secret'}"))
    assert values(application.load_secrets()) == ["word"]


def test_a_file_that_is_not_there_or_empty_names_no_application(tmp_path: Path) -> None:
    assert len(read_applications(tmp_path / "absent.toml", 1, {})) == 0
    empty = read(tmp_path, "")
    assert (len(empty), empty.parent) == (0, None)


PROBLEMS = [
    # text, what the error says
    ("urn = ", ["cannot be read"]),
    ("[applications]\nurn = 'urn:1'", ["[[applications]] with two brackets"]),
    ("applications = 7", ["[[applications]] with two brackets"]),
    ("applications = ['one']", ["number 1 must be a table"]),
    ("[[applications]]", ["number 1: urn is missing", "number 1: client_id is missing", "number 1: client_secrets must be a list"]),
    (LEAST + LEAST.replace('"a"', "7"), ["number 2: client_id must be text", "urn:1 is listed more than once"]),
    (LEAST.replace('"urn:1"', '"  "'), ["urn must be text"]),
    (LEAST + "customer = ['Acme']", ["customer must be text"]),
    (LEAST + "account_manager_email = 7", ["account_manager_email must be text"]),
    (LEAST + "retired = 'yes'", ["retired must be true or false"]),
    (LEAST.replace('"urn:1"', "4.5"), ["urn must be text"]),
    (LEAST + "daily_call_limit = '5'", ["daily_call_limit must be a whole number"]),
    (LEAST + "daily_call_limit = -1", ["daily_call_limit must be a whole number"]),
    (LEAST + "daily_call_limit = true", ["daily_call_limit must be a whole number"]),
    (LEAST + "daily_call_limit = 1.5", ["daily_call_limit must be a whole number"]),
    (LEAST + "daily_call_limit = 2147483648", ["daily_call_limit must be a whole number"]),
    (LEAST.replace('["env:A"]', "[]"), ["client_secrets must be a list"]),
    (LEAST.replace('["env:A"]', "[7]"), ["client_secrets must be a list"]),
    (LEAST.replace('["env:A"]', '["env:"]'), ["never the secret itself"]),
    (LEAST + "[parent]", ["[parent]: client_secrets must be a list"]),
    ("parent = 7\n" + LEAST, ["write [parent]"]),
    ("[[application]]\nurn = 'urn:1'", ["`application` is not known; did you mean `applications`?"]),
    (LEAST + "acount_manager = 'Dana'", ["number 1: acount_manager is not known; did you mean account_manager?"]),
    (LEAST + "Customer = 'Acme'", ["number 1: Customer is not known; did you mean customer?"]),
    (LEAST + "[parent]\nclient_secret = ['env:P']", ["[parent]: client_secret is not known; did you mean client_secrets?"]),
    (
        LEAST + "zzz = 1\ndaily_call_limit = -1\n[parent]\nclient_secrets = 7",
        ["number 1: zzz is not known", "number 1: daily_call_limit must be", "[parent]: client_secrets must be a list"],
    ),
    ("[[parent]]\nclient_secrets = ['env:P']\n" + LEAST, ["write [parent]"]),
]


@pytest.mark.parametrize(("text", "message"), PROBLEMS, ids=[message[-1] + str(index) for index, (_, message) in enumerate(PROBLEMS)])
def test_every_mistake_in_the_file_is_named_with_its_place(text: str, message: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert caught.value.exit_status == 2
    for part in ["applications.toml", *message]:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        LEAST.replace('["env:A"]', f'["{SECRET}"]'),
        LEAST.replace('["env:A"]', f'["env:A", "{SECRET}:more"]'),
        LEAST.replace('["env:A"]', f'"{SECRET}"'),
        LEAST.replace('client_secrets = ["env:A"]', f'client_secret = "{SECRET}"'),
        LEAST + f'[parent]\nclient_secrets = ["{SECRET}"]',
    ],
    ids=["instead", "beside", "no-list", "singular", "parent"],
)
def test_a_secret_written_instead_of_its_reference_is_refused_and_not_printed(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="client_secrets") as caught:
        read(tmp_path, text)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"urn = 'a'\nurn = 'b'"], ids=["no-utf8", "twice"])
def test_a_file_that_is_no_toml_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "applications.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"applications\.toml cannot be read"):
        read_applications(path, 1, {})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_applications(tmp_path, 1, {})


MISSING = [
    # reference, what the error names
    ("env:NOT_SET", "NOT_SET"),
    ("env:EMPTY", "EMPTY"),
    ("file:/not/there", "/not/there"),
    ("file:{folder}", "cannot be read"),
    ("file:{folder}/blank", "is empty"),
    ("file:{folder}/binary", "cannot be read"),
]


@pytest.mark.parametrize(("reference", "message"), MISSING, ids=[reference for reference, _ in MISSING])
def test_a_reference_that_leads_nowhere_is_reported_only_when_no_other_works(reference: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "blank").write_text(" \n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff" + SECRET.encode())
    reference = reference.replace("{folder}", str(tmp_path))
    environment = {"EMPTY": "", "GOOD": SECRET}
    with pytest.raises(ConfigurationError, match=message) as caught:
        Application(ACME, "a", [reference], "Acme", environment=environment).load_secrets()
    assert SECRET not in str(caught.value)
    both = Application(ACME, "a", [reference, "env:GOOD"], "Acme", environment=environment)
    assert values(both.load_secrets()) == [SECRET]
    assert SECRET not in repr(both)
    assert SECRET not in repr(both.load_secrets())


def test_a_secret_in_a_file_may_change_without_a_restart(tmp_path: Path) -> None:
    application = Application(ACME, "a", [f"file:{tmp_path / 'secret'}"], "Acme")
    for secret in ("first", "second"):
        (tmp_path / "secret").write_text(secret + "\n", encoding="utf-8")
        assert values(application.load_secrets()) == [secret]


def test_what_is_no_reference_is_not_printed() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_secret(SECRET, {})
    assert SECRET not in str(caught.value)
