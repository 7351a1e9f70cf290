"""Signing in on pages: the issuer that knows people, and how long a session lasts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.settings.part import SettingsPart
from gateway.settings.urls import is_safe_url

#: What is of no use without the others.
_TOGETHER = ("issuer", "client_id", "address")


class SignIn(SettingsPart):
    """People sign in with an OpenID Connect issuer. Times in seconds.

    ``issuer``: the name of one among ``access.issuers``; None: nobody signs in here. ``client_id``
    and the secret (none for a public client): of this gateway, as the issuer has registered it.
    ``address``: of this gateway, as browsers reach it. ``scopes``, ``resource`` (RFC 8707) and
    ``audience``: what is requested. ``idle_seconds``, ``absolute_seconds``: after which a session
    ends that is not used, or used all the time. ``file``: of SQLite, for processes without Redis.
    """

    issuer: str | None = None
    client_id: str | None = Field(default=None, min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    address: str | None = None
    scopes: tuple[str, ...] = ("openid",)
    resource: str | None = None
    audience: str | None = None
    idle_seconds: float = Field(default=30 * 60, gt=0, le=24 * 3600)
    absolute_seconds: float = Field(default=8 * 3600, gt=0, le=24 * 3600)
    file: Path = Path("sessions/sessions.sqlite")

    @field_validator("address")
    @classmethod
    def _origin(cls, address: str | None) -> str | None:
        """Accept an address without a path: cookies that are bound to a host have none."""
        if address is None:
            return None
        address = address.removesuffix("/")
        parsed = urlsplit(address)
        if not is_safe_url(address) or parsed.path or parsed.query:
            raise ValueError("it must be https://HOST (http only for this machine itself)")
        return address

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("openid must be among them: without it nobody is signed in")
        return scopes

    @model_validator(mode="after")
    def _complete(self) -> SignIn:
        missing = [name for name in _TOGETHER if getattr(self, name) is None]
        if missing and len(missing) < len(_TOGETHER):
            raise ValueError(f"sign_in.{missing[0]} is missing: it needs {', '.join(_TOGETHER)}")
        return self
