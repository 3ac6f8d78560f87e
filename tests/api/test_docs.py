"""The examples of docs/api.md, run in its order against the API over real HTTP."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.admin.stage import Stage
from tests.api.conftest import Call

DOCS = Path(__file__).parent.parent.parent / "docs" / "api.md"
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
LIMIT_S = 60

# For machines without curl: as much of it as the examples use.
STAND_IN = f"""#!{sys.executable}
import pathlib, sys
import httpx
method, headers, body, output, words = "GET", {{}}, None, None, iter(sys.argv[1:])
for word in words:
    if word == "-X": method = next(words)
    elif word == "-H": name, _, value = next(words).partition(": "); headers[name] = value
    elif word == "-d":
        body = next(words)
        body = pathlib.Path(body[1:]).read_text() if body.startswith("@") else body
    elif word == "-o": output = next(words)
    elif word != "--fail": address = word
answer = httpx.request(method, address, headers=headers, content=body)
if output: pathlib.Path(output).write_bytes(answer.content)
else: print(answer.text)
sys.exit(22 if answer.status_code >= 400 else 0)
"""


@pytest.mark.parametrize("with_curl", [True, False], ids=["curl", "stand-in"])
async def test_the_examples_work_as_they_stand(
    stage: Stage,
    call: Call,
    address: str,
    tmp_path: Path,
    with_curl: bool,
) -> None:
    if with_curl and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    order, run = await stage.halted()
    program = await call()
    folder = tmp_path / "bin"
    folder.mkdir()
    if not with_curl:
        (folder / "curl").write_text(STAND_IN)
        (folder / "curl").chmod(0o755)
    said = ""
    for example in EXAMPLES:
        process = await asyncio.create_subprocess_exec(
            *("sh", "-eu", "-c", example),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "TOKEN": program.headers["authorization"].removeprefix("Bearer "),
                "SLIPWAY": address,
                "ORDER": str(order.number),
                "ORDER_ID": str(order.id),
                "RUN": str(run),
            },
        )
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate()
        assert process.returncode == 0, (example, output.decode())
        said += output.decode()
    assert len(EXAMPLES) == 8
    assert '"baseline":"succeeded"' in said
    assert said.count('"slug":"dedicated-server"') == 2
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT status FROM run WHERE id = $1", run) == "running"
        assert not await tx.fetchval("SELECT is_enabled FROM flow")
