"""A typed client, generated from the demo's ``/openapi.json``, compiles strictly and works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.process import Process, purposes_of

PACKAGES = Path(__file__).parent / "typescript" / "node_modules"
STRICT = (
    "--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler",
)  # fmt: skip
CLIENT = """
import createClient from "openapi-fetch";
import type { paths } from "./api";

const client = createClient<paths>({
  baseUrl: process.env.URL,
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
});
const { data, error, response } = await client.POST("/operations/marital-status", {
  params: { header: { "X-Case-Number": "HS-1", "X-Purpose": "notarised-transfer" } },
  body: { id: process.env.ID!, matching: { birthDate: process.env.BORN! } },
});
if (error) {
  console.log(JSON.stringify({ status: response.status, code: error.errors[0]?.extensions.code }));
} else {
  const marriages = data.data?.person?.civilStatus?.marriages;
  const status: "ANSWERED" | undefined | string = marriages?.source?.state;
  const names: (string | null | undefined)[] | undefined =
    marriages?.items?.map((one) => one.husband?.name);
  console.log(JSON.stringify({ status, names }));
}
"""
#: Each of these is an error that only types can show.
MISUSES = (
    ("id: process.env.ID!", "number: process.env.ID!"),
    ('"notarised-transfer"', '"2.000635"'),
    ("one.husband?.name", "one.husband?.ethnicity"),
    ("/operations/marital-status", "/operations/marital"),
)


@pytest.fixture(scope="module")
def folder(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the types that are generated from what the demo says of itself."""
    if shutil.which("node") is None or not (PACKAGES / "openapi-fetch").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/typescript are missing")
        pytest.skip("node or the packages of tests/acceptance/typescript are missing")
    client_folder = tmp_path_factory.mktemp("client")
    (client_folder / "node_modules").symlink_to(PACKAGES)
    (client_folder / "package.json").write_text('{"type": "module"}', "utf-8")
    document = httpx2.get(f"{demo.url}/openapi.json").content
    (client_folder / "openapi.json").write_bytes(document)
    generator = "node_modules/openapi-typescript/bin/cli.js"
    node(client_folder, generator, "openapi.json", "-o", "api.d.ts")
    return client_folder


def node(folder: Path, *command: str, **environment: str) -> tuple[int, str]:
    completed = subprocess.run(
        ["node", *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return completed.returncode, completed.stdout + completed.stderr


@pytest.fixture(scope="module")
def faults(folder: Path) -> list[str]:
    """Compile the client and each misuse of it, once for all; return what the compiler says."""
    (folder / "call.ts").write_text(CLIENT, "utf-8")
    names = ["call.ts"]
    for number, (right, wrong) in enumerate(MISUSES):
        names.append(f"misuse-{number}.ts")
        (folder / names[-1]).write_text(CLIENT.replace(right, wrong), "utf-8")
    compiler = "node_modules/typescript/bin/tsc"
    code, output = node(folder, compiler, *STRICT, "--pretty", "false", "--skipLibCheck", *names)
    assert code == 2, output
    return output.splitlines()


@pytest.mark.services
def test_the_client_reads_typed_values(demo: Process, folder: Path, faults: list[str]) -> None:
    starts = [fault.split("(")[0] for fault in faults if not fault.startswith(" ")]
    assert {*starts} == {f"misuse-{number}.ts" for number in range(len(MISUSES))}, faults
    number = demo.tagged("married")
    born = next(persona["birthDate"] for persona in demo.personas if persona["id"] == number)
    environment = {"URL": demo.url, "ID": number, "BORN": born}
    code, output = node(folder, "call.js", TOKEN=demo.tokens["partner"], **environment)
    values = json.loads(output)
    assert (code, values["status"]) == (0, "ANSWERED")
    assert all(values["names"])
    code, output = node(folder, "call.js", TOKEN=demo.tokens["analyst"], **environment)
    assert json.loads(output) == {"status": 403, "code": "PURPOSE_NOT_GRANTED"}


@pytest.mark.services
@pytest.mark.parametrize(("right", "wrong"), MISUSES)
def test_what_the_operation_does_not_have_does_not_compile(
    faults: list[str], right: str, wrong: str
) -> None:
    assert right in CLIENT
    start = f"misuse-{MISUSES.index((right, wrong))}.ts("
    assert any(fault.startswith(start) and "error TS" in fault for fault in faults), faults


def tokens(demo: Process) -> dict[str, str]:
    return {
        "demo-officer": demo.tokens["officer"],
        "demo-partner": demo.tokens["partner"],
        "demo-one_stop_desk": demo.tokens["one_stop_desk"],
        "demo-enforcement_officer": demo.tokens["enforcement_officer"],
        "demo-portal": demo.tokens["citizen"],
    }


def test_every_example_is_answered_as_it_stands(demo: Process) -> None:
    called_paths = set()
    for token in tokens(demo).values():
        headers = {"authorization": f"Bearer {token}"}
        document: Any = httpx2.get(f"{demo.url}/openapi.json", headers=headers).json()
        for path, operations in document["paths"].items():
            body = operations["post"]["requestBody"]["content"]["application/json"]
            stated = {
                parameter["name"]: parameter for parameter in operations["post"]["parameters"]
            }
            request_headers = dict(headers)
            if "X-Case-Number" in stated:
                request_headers["x-case-number"] = "HS-DEMO-0001"
            if "X-Purpose" in stated:
                (purpose, *_) = {*stated["X-Purpose"]["schema"]["enum"]} & {*purposes_of(token)}
                request_headers["x-purpose"] = purpose
            answer = httpx2.post(f"{demo.url}{path}", json=body["example"], headers=request_headers)
            assert (answer.status_code, answer.json().get("errors")) == (200, None), path
            called_paths.add(path)
    all_paths = httpx2.get(f"{demo.url}/openapi.json").json()["paths"].keys()
    assert called_paths == all_paths
