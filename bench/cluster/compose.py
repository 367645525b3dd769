"""What compose.cluster.yaml gives each service: its command and its environment, with the addresses of this machine put in."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "jobrecon" / "cli" / "project" / "compose.cluster.yaml"
REFERENCE = re.compile(r"\$\{(\w+):\?[^}]*\}")
SECRETS = {"PGPASSWORD": "secret-pg", "JOBRECON_S3_SECRET": "secret-s3"}


class Compose:
    """The services of the compose file, to be started as processes."""

    def __init__(self, postgres: str, folder: Path) -> None:
        """`postgres` is the server's libpq address with the database `postgres`; what the containers share lies in `folder`."""
        self.services: dict[str, dict[str, Any]] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))["services"]
        self._postgres = postgres
        self._folder = folder
        self._places: dict[str, str] = {}

    def place(self, service: str, port: int) -> str:
        """Say where a service is served; returns its address."""
        inner = {"s3": 9000, "prefect": 4200}[service]
        self._places[f"http://{service}:{inner}"] = address = f"http://127.0.0.1:{port}"
        return address

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service."""
        return {name: self._translate(value) for name, value in self.services[service].get("environment", {}).items()}

    def command(self, service: str, port: int = 0) -> list[str]:
        """The command of a service, which listens on a loopback port where it listens at all."""
        command = self.services[service]["command"]
        words = shlex.split(command) if isinstance(command, str) else list(command)
        return [{"0.0.0.0": "127.0.0.1", "8080": str(port)}.get(word, word) for word in words]

    def database(self, name: str) -> str:
        """The libpq address of a database."""
        return self._postgres.replace("/postgres?", f"/{name}?")

    def _translate(self, value: str) -> str:
        value = REFERENCE.sub(lambda match: SECRETS[match[1]], value)
        for place, address in self._places.items():
            value = value.replace(place, address)
        for driver in ("postgresql+psycopg", "postgresql+asyncpg"):
            if match := re.fullmatch(rf"{re.escape(driver)}://jobrecon@postgres/(\w+)", value):
                return self.database(match[1]).replace("postgresql://", f"{driver}://")
        value = value.replace("dbname=lake host=postgres user=jobrecon", self.database("lake"))
        return value.replace("/var/lib/jobrecon", str(self._folder / "shared")).replace("/srv/jobrecon", str(self._folder / "project"))
