"""A real SMTP server in a thread: stores the mails it takes; requires TLS and a login where set."""

import datetime as dt
import email
import email.policy
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What has arrived. `responses` are sent to the next mails instead of taking them; an empty one takes the mail."""

    mails: list[EmailMessage] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    """(sender, recipients) of each mail taken."""
    contents: list[bytes] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Recipients that are refused."""
    logins: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.responses and (response := self.responses.pop(0)):
            return response
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.contents.append(envelope.content)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    @property
    def recipients(self) -> list[str]:
        return [mail["to"].addresses[0].addr_spec for mail in self.mails]


@contextmanager
def serve_mail(certificate: Path | None = None, password: str = "", login_delay_seconds: float = 0) -> Iterator[Mailbox]:
    box = Mailbox()
    options: dict[str, Any] = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {"tls_context": context, "require_starttls": True}
    if password:

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            time.sleep(login_delay_seconds)
            box.logins.append((data.login.decode(), data.password.decode()))
            # Not handled: aiosmtpd itself responds 235 or 535.
            return AuthResult(success=data.password.decode() == password, handled=False)

        options |= {"authenticator": authenticate, "auth_required": True}
    # It greets the port it was given: 0 will not do.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def make_certificate(path: Path, *hosts: str) -> Path:
    """A self-signed certificate for 127.0.0.1 and `hosts`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.DNSName, hosts)]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = built.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path
