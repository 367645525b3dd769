"""Run the steps of deploy/Dockerfile in a clean Debian root, by chroot; then serve the receiver there as the image would.

    python -m deploy.debian_root [DEBIAN_ROOT]

No container engine takes part: what only an engine does (layers, networks, volumes, the real base image) is not tried. Needs root and
debootstrap; a root that debootstrap made before (`--variant=minbase --include=python3,python3-venv,ca-certificates bookworm`) can be given.
"""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

ROOT = Path(__file__).parent.parent
DEBOOTSTRAP = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
RECEIVER = {"JOBRECON_CLIENT_ID": "78acme", "JOBRECON_CLIENT_SECRET": "acme-secret", "JOBRECON_APPLICATION_URN": "1001"}
START_SECONDS = 60


@dataclass
class Stage:
    """A stage of the Dockerfile as a folder, and what its instructions have set."""

    folder: Path
    workdir: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def chroot(self, command: list[str]) -> list[str]:
        shell = f"cd {shlex.quote(self.workdir)} && exec {shlex.join(command)}"
        return ["chroot", f"--userspec={self.user}", str(self.folder), "/bin/sh", "-c", shell]


def read_instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: name and the rest of the line, continued lines joined."""
    lines = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(name.upper(), rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in lines if line.strip())]


def build(instructions: list[tuple[str, str]], base: Path, folder: Path) -> Stage:
    """Carry out the instructions, each stage on a copy of the base root; returns the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for name, rest in instructions:
        print(f"{name} {rest[:110]}", flush=True)
        words = shlex.split(rest)
        match name:
            case "FROM":
                stage = Stage(folder / f"stage-{len(stages)}")
                subprocess.run(["cp", "-a", str(base), str(stage.folder)], check=True)
                stages[words[2] if len(words) > 2 else ""] = stage
            case "WORKDIR":
                stage.workdir = rest
                (stage.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "USER":
                stage.user = rest
            case "ENV":
                stage.environment |= dict(word.split("=", 1) for word in words)
            case "COPY":
                source = stages[words.pop(0).removeprefix("--from=")].folder if words[0].startswith("--from=") else ROOT
                copy([source / word.lstrip("/") for word in words[:-1]], stage.folder / (Path(stage.workdir) / words[-1]).relative_to("/"))
            case "RUN":
                with mounted(stage.folder):
                    done = subprocess.run(stage.chroot(["sh", "-c", rest]), env=stage.environment | network_environment(), check=False)
                if done.returncode:
                    raise SystemExit(f"RUN ended with {done.returncode}")
            case "ENTRYPOINT":
                stage.entrypoint = orjson.loads(rest)
            case "CMD":
                stage.command = orjson.loads(rest)
            case "HEALTHCHECK":
                stage.healthcheck = orjson.loads(rest[rest.index("[") :])
            case "VOLUME" | "EXPOSE" | "STOPSIGNAL":
                pass  # an engine's affair
            case _:
                raise SystemExit(f"{name} is not known here")
    return stage


def copy(sources: list[Path], target: Path) -> None:
    """As COPY does: of a folder its content."""
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (target if target.is_dir() else target.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def network_environment() -> dict[str, str]:
    """What pip and uv need to reach their index from this machine: the certificates, copied into the root."""
    return {"PIP_CERT": CERTIFICATES, "SSL_CERT_FILE": CERTIFICATES, "PIP_DEFAULT_TIMEOUT": "180", "UV_HTTP_TIMEOUT": "180"}


def make_base(folder: Path) -> Path:
    """A clean Debian root, as `python:3.11-slim` is one: `python` is its python3."""
    base = folder / "base"
    if len(sys.argv) > 1:
        subprocess.run(["cp", "-a", sys.argv[1], str(base)], check=True)
    else:
        subprocess.run([*DEBOOTSTRAP, str(base)], check=True, stdout=subprocess.DEVNULL)
    (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for name in ("etc/resolv.conf", "etc/hosts", CERTIFICATES.lstrip("/")):
        shutil.copy(Path("/") / name, base / name)
    return base


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """/proc and /dev in the root."""
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    subprocess.run(["mount", "--bind", "/dev", str(root / "dev")], check=True)
    try:
        yield
    finally:
        for name in ("dev", "proc"):
            subprocess.run(["umount", "--lazy", str(root / name)], check=True)


def serve(stage: Stage) -> None:
    """Start the image's command until its health check succeeds, then end it by SIGTERM."""
    with mounted(stage.folder):
        process = subprocess.Popen(stage.chroot([*stage.entrypoint, *stage.command]), env=stage.environment | RECEIVER)
        try:
            for _ in range(START_SECONDS):
                time.sleep(1)
                check = subprocess.run(stage.chroot(stage.healthcheck), env=stage.environment, check=False, stderr=subprocess.DEVNULL)
                if check.returncode == 0 or process.poll() is not None:
                    break
            print(f"health check: {check.returncode}")
            if process.poll() is not None:
                raise SystemExit(f"the receiver ended with {process.returncode}")
            owner = Path(f"/proc/{process.pid}").stat().st_uid
            process.send_signal(signal.SIGTERM)
            print(f"run as user {owner}; after SIGTERM it ended with {process.wait(timeout=30)}")
            if check.returncode or not owner:
                raise SystemExit("the receiver is not healthy, or runs as root")
        finally:
            process.kill()
            process.wait()


def main() -> None:
    with TemporaryDirectory(prefix="debian-") as folder:
        base = make_base(Path(folder))
        started = time.monotonic()
        stage = build(read_instructions((ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")), base, Path(folder))
        size = subprocess.run(["du", "-sm", str(stage.folder)], check=True, capture_output=True, text=True).stdout.split()[0]
        print(f"built in {time.monotonic() - started:.0f} s; the last stage has {size} MB")
        serve(stage)


if __name__ == "__main__":
    main()
