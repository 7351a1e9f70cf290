"""``/keys`` publishes the keys of receipts to everybody."""

from __future__ import annotations

from pathlib import Path

from gateway.keys.keyring import load_signing
from gateway.receipts.keys import ReceiptKeys
from gateway.settings import ChangeSettings, WebhookSettings
from tests.support.running import running


async def test_the_public_halves_are_shown_to_everybody(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.get("/keys")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/jwk-set+json"
        assert answer.headers["cache-control"] == "public, max-age=300"
        (jwk,) = answer.json()["keys"]
        (key,) = load_signing(gateway.service.resources.settings, "receipt_sign")
        public = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "kid")}
        assert jwk == {**public, "use": "sig", "alg": "EdDSA", "status": "CURRENT"}
        assert "d" not in jwk


async def test_keys_of_webhooks_are_for_another_algorithm(tmp_path: Path) -> None:
    changes = ChangeSettings(webhooks=WebhookSettings(enabled=True))
    async with running(tmp_path, changes=changes) as gateway:
        of_receipts, of_webhooks = (await gateway.client.get("/keys")).json()["keys"]
        (key,) = load_signing(gateway.service.resources.settings, "webhook_sign")
        assert (of_webhooks["kid"], of_webhooks["alg"]) == (key.kid, "Ed25519")
        assert (of_receipts["alg"], "d" in of_webhooks) == ("EdDSA", False)
        keys = ReceiptKeys.of_jwks({"keys": [of_receipts, of_webhooks]})
        assert [*keys.by_id] == [of_receipts["kid"]], "no receipt is signed with the other"


async def test_other_methods_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        assert (await gateway.client.post("/keys")).status_code == 405
