"""`jobrecon report`: the browser it opens, the mails it sends again."""

from tests.cli.conftest import NOW, MakeUser, User


def test_the_report_is_opened_in_the_browser(user: User) -> None:
    user.run("run", "--as-of", NOW.isoformat())
    browser = user.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {user.folder}/opened\n', encoding="utf-8")
    browser.chmod(0o755)
    user.environment["BROWSER"] = f"{browser} %s"
    finished = user.run_process("report", "--open", "--date", str(NOW.date()))
    assert finished.returncode == 0
    page = user.home / "reports" / str(NOW.date()) / "index.html"
    assert (user.folder / "opened").read_text(encoding="utf-8") == f"{page.as_uri()}\n"


def test_what_was_sent_is_sent_again_only_on_demand(make_user: MakeUser, mail_server: str) -> None:
    user = make_user(JOBRECON_SMTP_URL=mail_server, JOBRECON_MAIL_FROM="jobs@example.com", JOBRECON_MAIL_TO="all@example.com")
    user.post("job-1", status="FAILED", error="Job description is too short.")
    user.run("tasks", "import", user.write_tasks())
    user.run("run", "--as-of", NOW.isoformat())
    assert "1 sent, 0 sent before" in user.run("report", "--mail").stdout
    assert "0 sent, 1 sent before" in user.run("report", "--mail").stdout
    assert "1 sent, 0 sent before" in user.run("report", "--mail", "--resend").stdout


def test_resending_without_mailing_is_2(user: User) -> None:
    finished = user.run("report", "--resend")
    assert finished.returncode == 2
    assert "--mail --resend" in finished.stderr
