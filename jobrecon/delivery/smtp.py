"""Sending mails by SMTP, with STARTTLS and login."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import parse_qsl, unquote, urlsplit

from jobrecon.delivery.addresses import parse_sender
from jobrecon.errors import ConfigurationError, DeliveryFailed
from jobrecon.settings import Settings

TIMEOUT_SECONDS = 30
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """The server that takes our mails. `is_encrypted` by STARTTLS (smtp) or from the start (smtps)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    is_encrypted: bool
    timeout_seconds: float

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


def read_server(settings: Settings) -> MailServer | None:
    """The server of `JOBRECON_SMTP_URL`; None where none is set. Raises `ConfigurationError`, never with the password."""
    text = settings.smtp_url.get_secret_value()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query))
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        timeout = float(options.get("timeout", TIMEOUT_SECONDS))
    except ValueError:
        parts, options, host, port, timeout = urlsplit(""), {}, "", 0, 0.0
    if parts.scheme not in PORTS or not host or not 0 < timeout <= 3600:
        raise ConfigurationError(
            "JOBRECON_SMTP_URL is no address of a mail server. Nothing was sent. Write it as smtp://user:password@host:587, "
            "with %40 for an @ in the user or password."
        )
    if settings.mail_from:
        parse_sender(settings.mail_from)
    else:
        raise ConfigurationError(
            "JOBRECON_SMTP_URL is set, but JOBRECON_MAIL_FROM is not. Nothing was sent. Set the address mails come from."
        )
    is_encrypted = options.get("starttls") != "off"
    if parts.username and not is_encrypted:
        raise ConfigurationError("JOBRECON_SMTP_URL asks to log in without encryption. Nothing was sent. Leave out starttls=off.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.scheme, host, port, user, password, is_encrypted, timeout)


class SmtpSession:
    """A connection to the server, opened for the first mail and reused for the others."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "SmtpSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ensure_connected(self) -> None:
        """Be connected and logged in. Raises `DeliveryFailed`; nothing was sent then."""
        if self._smtp:
            try:
                self._smtp.noop()
            except OSError:
                self.close()
        if not self._smtp:
            try:
                self._connect()
            except OSError as error:
                self.close()
                raise DeliveryFailed(
                    f"The mail server {self.server.host}:{self.server.port} cannot be used: {self._describe(error)}. "
                    "Nothing more was sent; what was sent is not sent again. Correct JOBRECON_SMTP_URL or the server and run again."
                ) from None

    def send(self, message: EmailMessage, recipients: Sequence[Address]) -> dict[str, str]:
        """Hand a mail over; returns the recipients that were refused, and why.

        Raises `DeliveryFailed` where none has it, which says whether the server may have taken it all the same.
        """
        assert self._smtp, "ensure_connected() comes first"
        try:
            refused = self._smtp.send_message(
                message, message["From"].addresses[0].addr_spec, [address.addr_spec for address in recipients]
            )
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
            raise DeliveryFailed(
                f"The mail server {self.server.host} refused a mail: {self._describe(error)}. It was not sent; run again to try."
            ) from None
        except OSError as error:
            self.close()
            raise DeliveryFailed(
                f"The mail server {self.server.host} broke off while it took a mail: {self._describe(error)}.", may_have_arrived=True
            ) from None
        return {address: str(code) for address, (code, _) in refused.items()}

    def close(self) -> None:
        if self._smtp:
            try:
                self._smtp.quit()
            except OSError:
                self._smtp.close()
            self._smtp = None

    def _connect(self) -> None:
        server = self.server
        context = ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.scheme == "smtps":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_seconds, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        self._smtp = smtp
        if server.scheme == "smtp" and server.is_encrypted:
            smtp.starttls(context=context)
        if server.user:
            self._log_in(smtp)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        """Log in by one mechanism: `smtplib.login` would try a wrong password by each, which servers delay and count."""
        smtp.ehlo_or_helo_if_needed()
        offered = smtp.esmtp_features.get("auth", "").upper().split()
        mechanism = next((name for name in ("PLAIN", "LOGIN", "CRAM-MD5") if name in offered), None)
        if mechanism is None:
            raise smtplib.SMTPNotSupportedError
        smtp.user, smtp.password = self.server.user, self.server.password
        smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower().replace('-', '_')}"))

    def _describe(self, error: OSError) -> str:
        # smtplib reports a timeout as a disconnection.
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            return f"it did not respond within {self.server.timeout_seconds:g} s"
        return _describe(error)


def _describe(error: OSError) -> str:
    """What went wrong, without what a server may repeat of the login."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "it closed the connection"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refused user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it offers no STARTTLS or no login"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it responded {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refused " + ", ".join(f"{address} ({code})" for address, (code, _) in error.recipients.items())
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return getattr(error, "strerror", None) or type(error).__name__
