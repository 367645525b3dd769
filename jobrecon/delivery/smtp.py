"""Handing mails over: by SMTP with STARTTLS and login, or as `.eml` files where no server is set."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from jobrecon.errors import ConfigurationError, DeliveryFailed
from jobrecon.settings import Settings

TIMEOUT_SECONDS = 30
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed over. `is_encrypted` by STARTTLS (smtp) or from the start (smtps)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    is_encrypted: bool

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


def read_server(settings: Settings) -> MailServer | None:
    """The server of `JOBRECON_SMTP_URL`; None where none is set. Raises `ConfigurationError`, never with the password."""
    text = settings.smtp_url.get_secret_value()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme not in PORTS or not host:
        raise ConfigurationError(
            "JOBRECON_SMTP_URL is no address of a mail server. Nothing was sent. Write it as smtp://user:password@host:587, "
            "with %40 for an @ in the user or password."
        )
    if not settings.mail_from:
        raise ConfigurationError(
            "JOBRECON_SMTP_URL is set, but JOBRECON_MAIL_FROM is not. Nothing was sent. Set the address mails come from."
        )
    is_encrypted = parse_qs(parts.query).get("starttls") != ["off"]
    if parts.username and not is_encrypted:
        raise ConfigurationError("JOBRECON_SMTP_URL asks to log in without encryption. Nothing was sent. Leave out starttls=off.")
    return MailServer(parts.scheme, host, port, unquote(parts.username or ""), unquote(parts.password or ""), is_encrypted)


class Post:
    """A connection to the server, made when the first mail is handed over and kept for the others."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "Post":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self) -> None:
        """Be connected and logged in. Raises `DeliveryFailed`; nothing was sent then."""
        if self._smtp:
            try:
                self._smtp.noop()
            except (smtplib.SMTPException, OSError):
                self.close()
        if not self._smtp:
            self._explained(self._connect)

    def send(self, message: EmailMessage) -> None:
        """Hand a mail over. Raises `DeliveryFailed`, which tells whether the server may have taken it all the same."""
        assert self._smtp, "prepare() comes first"
        smtp = self._smtp
        try:
            smtp.send_message(message)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
            raise DeliveryFailed(
                f"The mail server {self.server.host} refused a mail: {_describe(error)}. It was not sent; run again to try."
            ) from None
        except OSError as error:
            self.close()
            raise DeliveryFailed(f"The mail server {self.server.host} went silent: {_describe(error)}.", may_have_arrived=True) from None

    def close(self) -> None:
        if self._smtp:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None

    def _connect(self) -> None:
        server = self.server
        context = ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.scheme == "smtps":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        self._smtp = smtp
        if server.scheme == "smtp" and server.is_encrypted:
            smtp.starttls(context=context)
        if server.user:
            try:
                smtp.login(server.user, server.password)
            except smtplib.SMTPServerDisconnected:
                # Some servers hang up on a wrong password.
                raise smtplib.SMTPAuthenticationError(535, b"") from None

    def _explained(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise DeliveryFailed(
                f"The mail server {self.server.host}:{self.server.port} cannot be used: {_describe(error)}. "
                "Nothing more was sent; what was sent is not sent again. Mend JOBRECON_SMTP_URL or the server and run again."
            ) from None


def _describe(error: Exception) -> str:
    """What went wrong, without what a server may repeat of the login."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refused user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it offers no STARTTLS or no login"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refused every recipient"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return getattr(error, "strerror", None) or type(error).__name__
