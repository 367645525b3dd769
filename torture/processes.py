"""Commands as processes of their own, forked from a server that has the libraries loaded: a killed one costs no start of Python."""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = [
    "torture.processes",
    "jobrecon.cli.app",
    "jobrecon.cli.webhook",
    "jobrecon.reconcile.run",
    "jobrecon.reconcile.maintenance",
    "jobrecon.reconcile.verify",
    "jobrecon.reports",
    "jobrecon.reports.report",
    "jobrecon.delivery.deliver",
    "jobrecon.ingest",
    "jobrecon.webhook.server",
    "jobrecon.webhook.notifications",
]
CONTEXT.set_forkserver_preload(PRELOADED)
TIMEOUT_SECONDS = 120
TIMED_OUT = 124


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (negative: the signal), and what it printed."""

    status: int
    output: str

    @property
    def is_clean(self) -> bool:
        """It did its work or said in a message why not: no traceback, no signal, no wait without end."""
        return self.status in (0, 1) and "Traceback" not in self.output


@dataclass(frozen=True)
class Command:
    """A command that has been started."""

    process: ForkServerProcess
    log: Path

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.is_alive()

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def end(self, number: int = signal.SIGKILL, timeout: float = TIMEOUT_SECONDS) -> Ended:
        """Send it a signal and wait for its end."""
        if self.process.is_alive():
            os.kill(self.pid, number)
        return self.wait(timeout)

    def wait(self, timeout: float = TIMEOUT_SECONDS) -> Ended:
        """Wait for its end; one that takes longer is killed and has the status 124."""
        self.process.join(timeout)
        is_late = self.process.is_alive()
        if is_late:
            self.process.kill()
            self.process.join()
        status = TIMED_OUT if is_late else int(self.process.exitcode or 0)
        self.process.close()
        return Ended(status, self.log.read_text(encoding="utf-8", errors="replace"))


def start(arguments: tuple[str, ...], environment: dict[str, str], folder: Path, *, is_stopped: bool = False) -> Command:
    """Start `jobrecon ARGUMENTS`, or `maintain`, in `folder`. One that is stopped goes on at SIGCONT."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{time.time_ns()}-{arguments[0]}.log"
    log.touch()
    # A daemon: where a stage gives up, what it had started ends with it.
    process = CONTEXT.Process(target=_execute, args=(arguments, environment, folder, log, is_stopped), daemon=True)
    process.start()
    return Command(process, log)


def _execute(arguments: tuple[str, ...], environment: dict[str, str], folder: Path, log: Path, is_stopped: bool) -> None:
    for name in [name for name in os.environ if name.startswith("JOBRECON_")]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(folder)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["jobrecon", *arguments]
    if is_stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    if arguments[0] == "maintain":
        _maintain()
    from jobrecon.cli import main

    main()


def _maintain() -> None:
    """The flow's task, without Prefect."""
    from jobrecon.cli.console import start_logging
    from jobrecon.clock import utc_now
    from jobrecon.errors import JobreconError
    from jobrecon.reconcile.maintenance import maintain
    from jobrecon.settings import load_settings

    start_logging()
    try:
        result = maintain(load_settings(), utc_now())
    except JobreconError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.exit(error.exit_status)
    sys.stdout.write(f"{result.sentence}\n")
    sys.exit(1 if result.verification else 0)
