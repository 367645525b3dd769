"""`--shard` and `gather` on the command line: what is missing is named, and only what is whole ends with 0."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobrecon.cli.app import app

APPLICATIONS = """
[[applications]]
urn = "1"
client_id = "a"
client_secrets = ["env:A"]

[[applications]]
urn = "2"
client_id = "b"
client_secrets = ["env:B"]
shard = "b"
"""


def test_a_missing_shard_is_1_by_name_and_an_unknown_one_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "applications.toml").write_text(APPLICATIONS, encoding="utf-8")
    commands = [("run", "--shard", "zzz"), ("run", "--shard", "b"), ("gather",), ("run",), ("gather",)]
    unknown, _, missing, _, whole = ended = [CliRunner().invoke(app, command) for command in commands]
    assert [each.exit_code for each in ended] == [2, 0, 1, 0, 0]
    assert "No application has the shard 'zzz'; the shards of applications.toml: b." in unknown.stderr
    assert "INCOMPLETE: The default shard is missing" in missing.stderr
    assert "2 shards gathered: default as of" in whole.stdout
    assert {path.name for path in (tmp_path / "var" / "published").iterdir()} == {
        f"jobrecon{name}.duckdb" for name in ("", "-b", "-default")
    }
