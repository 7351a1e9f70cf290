"""A session: what an issuer gave somebody who signed in, and what a door takes from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import orjson

from gateway.access.caller import Caller


@dataclass(frozen=True, slots=True)
class SignInSession:
    """What is kept, sealed. Times in seconds since 1970.

    ``access_token``: what requests are made with. ``client``, ``subject``, ``agency`` and
    ``token_expires``: its own. ``token_ids``: its id and those of the tokens that it replaced.
    ``id_token``: ends the session at the issuer. ``name``: how the issuer calls who signed in,
    None: it does not say, or by a number. ``created``: when they did.
    """

    access_token: str
    client: str | None
    subject: str | None
    agency: str | None
    token_ids: tuple[str, ...]
    token_expires: float
    id_token: str
    refresh_token: str | None
    name: str | None
    created: float

    def encode(self) -> bytes:
        """Return the session as bytes, for ``decode``."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, content: bytes) -> SignInSession | None:
        """Return what ``encode`` wrote; None for what another version wrote."""
        try:
            session = cls(**orjson.loads(content))
            return replace(session, token_ids=tuple(session.token_ids))
        except (TypeError, ValueError):
            return None

    def is_same_person(self, caller: Caller) -> bool:
        """Return whether a token is of who signed in."""
        return (self.client, self.subject) == (caller.client, caller.subject)


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session as a door takes it. ``authorization``: the value of the header.

    ``csrf_token``: what requests must show beside the cookie. ``title``: who is signed in, for
    themselves to see.
    """

    authorization: bytes
    csrf_token: str
    title: str
    agency: str | None


@dataclass(frozen=True, slots=True)
class SessionLookup:
    """What the cookie of a request leads to. ``has_ended``: to a session that is no more.

    ``can_sign_in``: whether people can sign in here at all.
    """

    active: ActiveSession | None = None
    has_ended: bool = False
    can_sign_in: bool = False

    def without_session(self) -> SessionLookup:
        """Return the same after a sign-out."""
        return SessionLookup(can_sign_in=self.can_sign_in)


#: Where nobody can sign in, or no cookie was sent.
NO_SESSION = SessionLookup()
