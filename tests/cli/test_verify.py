"""`jobrecon verify`: exit status, what it prints, and that it repairs only when it is to."""

from tests.cli.conftest import ACME, NOW, User


def test_verify_names_what_is_wrong_and_repairs_it(user: User) -> None:
    user.post("job-failed", status="FAILED", error="Job description is too short.")
    assert user.run("verify").returncode == 1
    assert user.run("tasks", "import", user.write_tasks()).returncode == 0
    assert user.run("run", "--as-of", NOW.isoformat()).returncode == 0
    agreed = user.run("verify")
    assert (agreed.returncode, agreed.stderr) == (0, "")
    assert "All rows agree: 0 notifications, 0 resync_requests, 1 job_postings, 1 findings" in agreed.stdout
    with user.open_warehouse() as warehouse:
        warehouse.connection.execute("delete from job_postings")
    for _ in range(2):
        differing = user.run("verify")
        assert differing.returncode == 1
        assert f"job_postings: job job-failed of {ACME} is missing" in differing.stderr
        assert "jobrecon verify --repair" in differing.stderr
    calls = user.run("budget", "--json").stdout
    repaired = user.run("verify", "--repair")
    assert repaired.returncode == 0
    assert "Repaired rows: 1 of job_postings" in repaired.stdout
    assert user.run("budget", "--json").stdout == calls
    assert user.run("verify").returncode == 0
    assert user.read("select external_job_posting_id from job_postings") == [("job-failed",)]
