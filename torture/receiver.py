"""A receiver that is killed again and again, and a sender that remembers which of its notifications got a 200."""

import contextlib
import hashlib
import hmac
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobrecon.webhook.server import listen
from torture.home import Home, make_body
from torture.linkedin import SECRET
from torture.processes import Command

PAUSE_SECONDS = 0.01


def choose_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def frame(body: bytes) -> bytes:
    signature = hmac.new(SECRET.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()
    return f"POST /webhook HTTP/1.1\r\nHost: torture\r\nX-LI-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def post(port: int, body: bytes) -> int:
    """The status of the response to one notification; 0 where there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(frame(body))
            return int((connection.recv(4096) or b"HTTP/1.1 0").split()[1])
    except OSError:
        return 0


class Sender(threading.Thread):
    """Sends notifications over one connection, one after the other, whatever becomes of the receiver."""

    def __init__(self, home: Home, port: int) -> None:
        super().__init__(daemon=True)
        self.home, self.port = home, port
        self.is_over = threading.Event()
        self.acknowledged = self.refused = 0

    def run(self) -> None:
        while not self.is_over.is_set():
            with contextlib.suppress(OSError):
                self._send()
            time.sleep(PAUSE_SECONDS)

    def _send(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            while not self.is_over.is_set():
                (number,) = self.home.take_numbers(1)
                connection.sendall(frame(make_body(number).encode()))
                response = b""
                while b"\r\n\r\n" not in response:
                    received = connection.recv(4096)
                    if not received:
                        return
                    response += received
                if response.startswith(b"HTTP/1.1 200"):
                    self.home.oracle.notifications.add(number)
                    self.acknowledged += 1
                else:
                    self.refused += 1
                time.sleep(PAUSE_SECONDS)


def wait_until_served(port: int, command: Command, seconds: float = 30) -> bool:
    """Whether the receiver takes connections before it ends."""
    deadline = time.monotonic() + seconds
    while command.is_running and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.01)
    return False


class KilledReceivers(threading.Thread):
    """Starts the receiver again each time, and kills it after a while."""

    def __init__(self, home: Home, port: int, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.home, self.port, self.chance = home, port, chance
        self.is_over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self.is_over.is_set():
            command = self.home.start("webhook", "--port", str(self.port))
            wait_until_served(self.port, command)
            time.sleep(self.chance.uniform(0, 1.5))
            command.end()
            self.kills += 1


@contextmanager
def killing_receivers(home: Home, chance: random.Random) -> Iterator[KilledReceivers]:
    """Notifications come in, and the receiver is killed, while the block runs."""
    port = choose_port()
    receivers, sender = KilledReceivers(home, port, chance), Sender(home, port)
    receivers.start()
    sender.start()
    try:
        yield receivers
    finally:
        for thread in (sender, receivers):
            thread.is_over.set()
        for thread in (sender, receivers):
            thread.join(60)
