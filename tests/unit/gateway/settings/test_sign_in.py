"""The settings with which people sign in fit together, or name what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from gateway.settings import Access, Settings, SignIn, TrustedIssuer

GOOD: dict[str, Any] = {
    "issuer": "ministry",
    "client_id": "gateway-pages",
    "address": "https://gateway.example",
}
ACCESS = Access(issuers={"ministry": TrustedIssuer(issuer="https://id.example", audience="a")})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"client_id": None}, "sign_in.client_id is missing"),
        ({"address": None}, "sign_in.address is missing"),
        ({"issuer": None}, "sign_in.issuer is missing"),
        ({"address": "http://gateway.example"}, "must be https"),
        ({"address": "https://gateway.example/path"}, "must be https"),
        ({"address": "https://user@gateway.example"}, "must be https"),
        ({"scopes": ("profile",)}, "openid must be among them"),
        ({"idle_seconds": 0}, "greater than 0"),
        ({"absolute_seconds": 90_000}, "less than or equal to 86400"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SignIn(**{**GOOD, **changed})


@pytest.mark.parametrize(
    "address", ["https://gateway.example/", "http://127.0.0.1:8000", "http://localhost"]
)
def test_an_address_has_no_path(address: str) -> None:
    assert SignIn(**{**GOOD, "address": address}).address == address.removesuffix("/")


def test_the_issuer_must_be_trusted() -> None:
    assert Settings(access=ACCESS, sign_in=SignIn(**GOOD)).sign_in.issuer == "ministry"
    with pytest.raises(ValidationError, match=r"no access\.issuers\.other"):
        Settings(access=ACCESS, sign_in=SignIn(**{**GOOD, "issuer": "other"}))


def test_the_secret_is_in_a_file_or_a_value_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n", "utf-8")
    in_file = SignIn(**GOOD, client_secret_file=Path("secret"))
    assert Settings(access=ACCESS, folder=tmp_path, sign_in=in_file).client_secret() == (
        "from the file"
    )
    value = in_file.model_copy(update={"client_secret": SecretStr("hidden")})
    settings = Settings(access=ACCESS, folder=tmp_path, sign_in=value)
    assert settings.client_secret() == "hidden"
    assert "hidden" not in repr(settings)
    assert Settings().client_secret() is None
