"""``/subgraph.graphql``: what a federated graph is composed of."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.schema.texts import subgraph_text
from tests.support.running import OPERATOR, codes, running


@pytest.mark.parametrize("public", [True, False])
async def test_the_subgraph_is_shown_to_whoever_is_shown_the_schema(
    tmp_path: Path, public: bool
) -> None:
    async with running(tmp_path, public_schema=public) as gateway:
        stranger = await gateway.client.get("/subgraph.graphql")
        operator, officer = [
            await gateway.client.get(
                "/subgraph.graphql", headers={"authorization": f"Bearer {gateway.token(*scopes)}"}
            )
            for scopes in (OPERATOR, ["population:read"])
        ]
        text = subgraph_text(gateway.service.resources.schema)
    assert (operator.status_code, operator.text) == (200, text)
    assert (stranger.status_code == 200) is (officer.status_code == 200) is public
    if not public:
        assert (stranger.status_code, codes(stranger.json())) == (401, ["UNAUTHENTICATED"])
        assert (officer.status_code, codes(officer.json())) == (403, ["INTROSPECTION_DENIED"])


async def test_a_bad_token_is_refused_even_where_the_schema_is_public(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        reply = await gateway.client.get(
            "/subgraph.graphql", headers={"authorization": "Bearer nonsense"}
        )
    assert (reply.status_code, codes(reply.json())) == (401, ["TOKEN_INVALID"])


def test_the_command_line_prints_the_same() -> None:
    printed = CliRunner().invoke(app, ["schema", "--federation"])
    assert printed.exit_code == 0
    assert 'extend type Organization @key(fields: "code")' in printed.output
