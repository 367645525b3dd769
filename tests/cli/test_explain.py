"""`jobrecon explain`: a job's timeline before and after a run, with any text in it."""

from datetime import timedelta

from tests.cli.conftest import ACME, BETA, NOW, SECRET, MakeUser, User


def test_before_the_first_run_the_requests_are_shown(user: User) -> None:
    user.post("job-1", title="Night cook")
    user.run("tasks", "import", user.write_tasks())
    shown = user.run("explain", "job-1")
    assert shown.returncode == 0
    assert "No run has checked it yet." in shown.stdout
    assert "CREATE requested" in shown.stdout
    assert "jobrecon run" in shown.stdout


def test_without_any_task_the_error_says_to_import(user: User) -> None:
    shown = user.run("explain", "job-1")
    assert shown.returncode == 1
    assert "Import tasks" in shown.stderr


def test_after_a_run_the_timeline_is_in_order_and_ends_with_what_to_do(user: User) -> None:
    user.post("job-1", hours_ago=30, settles_at=(NOW - timedelta(hours=29)).timestamp())
    user.post(
        "job-1", "UPDATE", status="FAILED", error="Job description is too short: description length should be at least 100 characters."
    )
    user.run("tasks", "import", user.write_tasks())
    user.run("run", "--as-of", NOW.isoformat())
    shown = user.run("explain", "job-1")
    assert shown.returncode == 0
    output = shown.stdout
    steps = ["CREATE requested", "UPDATE requested", "LinkedIn reports UPDATE FAILED", "Issue found: Change failed"]
    assert "LinkedIn reports CREATE SUCCEEDED" in output
    positions = [output.index(step) for step in steps]
    assert positions == sorted(positions)
    assert "should be listed" in output
    assert "What to do: " in output.rpartition("FAILED (TASK, MEDIUM) since")[2]


def test_an_unknown_job_is_1_and_says_so(user: User) -> None:
    user.run("run", "--as-of", NOW.isoformat())
    for job in ("job-17", "", "job\udcff"):
        shown = user.run("explain", job)
        assert shown.returncode == 1, job
        assert "Nothing is known of the job" in shown.stderr


def test_a_job_id_of_several_applications_is_shown_for_each_or_the_one_given(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="", ACME_SECRET=SECRET, BETA_SECRET="beta-secret")
    entries = [
        f'[[applications]]\nurn="{urn}"\nclient_id="{name}"\nclient_secrets=["env:X"]\ncustomer="{name}"\n'
        for urn, name in ((ACME, "Acme"), (BETA, "Beta"))
    ]
    (user.folder / "applications.toml").write_text("".join(entries), encoding="utf-8")
    user.post("job-1")
    user.post("job-1", application=BETA)
    user.run("tasks", "import", user.write_tasks())
    user.run("run", "--as-of", NOW.isoformat())
    both = user.run("explain", "job-1")
    assert both.stdout.count("CREATE requested") == 2
    assert "(Acme)" in both.stdout
    assert "(Beta)" in both.stdout
    one = user.run("explain", "job-1", "--application", BETA)
    assert "(Beta)" in one.stdout
    assert "(Acme)" not in one.stdout
    assert user.run("explain", "job-1", "--application", "urn:li:developerApplication:9").returncode == 1


def test_terminal_escapes_in_texts_of_others_are_inert(user: User) -> None:
    user.post("job-1", title="[bold]Cook[/] \x1b]0;owned\x07\u202e", status="FAILED", error="\x1b[2J\x9b31m[red]nothing wrong")
    user.run("tasks", "import", user.write_tasks())
    user.run("run", "--as-of", NOW.isoformat())
    for arguments in (["explain", "job-1"], ["explain", "job-1", "--json"]):
        shown = user.run(*arguments).stdout
        assert "[bold]Cook[/]" in shown
        assert "[red]nothing wrong" in shown
        if "--json" not in arguments:
            assert not set(shown) & set("\x1b\x07\x9b\u202e")
