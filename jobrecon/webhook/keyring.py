"""All active secrets: which may have signed a body, and which one a challenge is about."""

from dataclasses import dataclass, field
from itertools import chain

from pydantic import SecretStr

from jobrecon.applications import Application, Applications, Parent
from jobrecon.errors import ConfigurationError
from jobrecon.webhook.signature import Candidate
from models.values import read_application_urn


@dataclass(frozen=True)
class Keyring:
    """All active secrets, newest first, by application."""

    children: dict[str, list[Candidate]] = field(repr=False)
    parent: list[Candidate] = field(repr=False)

    def find_candidates(self, application_urn: str | None) -> list[Candidate]:
        """The secrets that may have signed a body which names this application, in the order in which to try them.

        The name is not yet verified and chooses nothing but this list. An unknown one, or none, means any secret there is.
        """
        if application_urn is not None and application_urn in self.children:
            return self.children[application_urn] + self.parent
        return self.parent + list(chain.from_iterable(self.children.values()))

    def is_known(self, application_urn: str | None) -> bool:
        return application_urn in self.children

    def is_missing(self, application_urn: str | None) -> bool:
        """Whether this application is configured, but none of its secrets could be read."""
        return self.children.get(application_urn or "") == []

    def find_challenged(self, application_id: str | None) -> tuple[str, SecretStr] | None:
        """The application that a challenge is for ('' for the parent) and the secret to respond with; None if unknown.

        `application_id` is its number or its URN. The newest secret of that application; else the parent's; else, where
        only one application is configured, that one's.
        """
        urn = read_application_urn(application_id) or ""
        if candidates := self.children.get(urn):
            return urn, candidates[0][1]
        if self.parent:
            return "", self.parent[0][1]
        if len(self.children) == 1:
            (only, candidates), *_ = self.children.items()
            return (only, candidates[0][1]) if candidates else None
        return None


def load_keyring(applications: Applications) -> Keyring:
    """Resolve every secret anew. An application whose secrets cannot be read has none here; the others are unaffected."""
    return Keyring(
        {application.urn: _load(application, application.urn) for application in applications},
        _load(applications.parent, "parent") if applications.parent else [],
    )


def _load(owner: Application | Parent, name: str) -> list[Candidate]:
    try:
        return [(f"{name}#{number}", secret) for number, secret in enumerate(owner.load_secrets(), start=1)]
    except ConfigurationError:
        return []
