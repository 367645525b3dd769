"""Mail addresses, parsed as the header of a mail is: with or without a name, several with commas; domains as punycode."""

import logging
import re
from email.errors import MessageError
from email.headerregistry import Address

from jobrecon.applications import Applications
from jobrecon.errors import ConfigurationError
from jobrecon.reports.formatting import shorten
from jobrecon.settings import Settings

log = logging.getLogger(__name__)

# A comma within quotes or angle brackets separates nothing.
_PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,;"<])+')
_NAMED = re.compile(r'\s*"?(?P<name>.*?)"?\s*<(?P<address>[^<>]*)>\s*', re.DOTALL)
MAX_NAME_LENGTH = 80


def parse_address(text: str, display_name: str | None = None) -> Address:
    """One address; `display_name` where the text has no name. Raises `ValueError` for what is none."""
    named = _NAMED.fullmatch(text)
    name, plain = (named["name"], named["address"].strip()) if named else ("", text.strip())
    username, _, domain = plain.rpartition("@")
    if not username or not domain or not plain.isprintable() or re.search(r"[\s,;<>]", plain) or not username.isascii():
        raise ValueError("no mail address")
    try:
        domain = domain.encode("idna").decode()
        return Address(shorten(name.replace('\\"', '"') or display_name or "", MAX_NAME_LENGTH), addr_spec=f"{username}@{domain}")
    except (MessageError, IndexError, UnicodeError) as error:
        raise ValueError("no mail address") from error


def parse_addresses(text: str, display_name: str | None = None) -> tuple[list[Address], list[str]]:
    """The addresses of a list, and its parts that are none."""
    addresses, invalid = [], []
    for part in _PART.findall(text):
        if not part.strip():
            continue
        try:
            addresses.append(parse_address(part, display_name))
        except ValueError:
            invalid.append(part.strip())
    return addresses, invalid


def find_invalid_addresses(mail_from: str, mail_to: str, applications: Applications) -> list[str]:
    """What is configured as a mail address and is none, with the place where it stands."""
    found = [("JOBRECON_MAIL_TO", mail_to)] + [
        (f"account_manager_email of {item.urn}", item.account_manager_email or "") for item in applications
    ]
    invalid = [f"{part!r} in {place}" for place, text in found for part in parse_addresses(text)[1]]
    try:
        parse_address(mail_from or "jobrecon@localhost")
    except ValueError:
        invalid.append(f"{mail_from!r} in JOBRECON_MAIL_FROM")
    return invalid


def warn_of_invalid_addresses(settings: Settings) -> None:
    """Log what is configured as a mail address and is none: at the start of a run, hours before the report is mailed."""
    for place in find_invalid_addresses(settings.mail_from, settings.mail_to, settings.load_applications()):
        log.warning("No mail address: %s. Nobody gets a mail there; correct it.", place)


def parse_sender(mail_from: str) -> Address:
    """The address that mails come from. Raises `ConfigurationError` where it is none."""
    try:
        return parse_address(mail_from)
    except ValueError:
        raise ConfigurationError(
            f"JOBRECON_MAIL_FROM is no mail address: {shorten(mail_from, 80)!r}. Nothing was sent. Write it as reports@example.com "
            "or Reports <reports@example.com>."
        ) from None
