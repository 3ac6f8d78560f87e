"""`dry-run`, `rehearse` and `replay` as an operator types them."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

import msgspec

from app.core.database import Database
from app.core.secrets import new_key
from app.flows.dryrun.score import scores
from app.flows.gallery import find_template
from app.flows.publish import publish

LIMIT_S = 90
RECORDED = min(
    (Path(__file__).parents[1] / "flows" / "histories" / "recorded").glob("dns-records.*.well.json")
)
RUN = "import sys; from importlib import import_module as i; getattr(i(sys.argv[1]), sys.argv[2])(sys.argv[3:])"


async def typed(module: str, command: str, *words: str, dsn: str) -> tuple[int, str]:
    """Run a command; returns its exit code and all that it said."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLIPWAY_", "DATABASE_URL", "REDIS_URL"))
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, module, command, *words),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**inherited, "SLIPWAY_ENV_FILE": "", "DATABASE_URL": dsn, "SLIPWAY_KEYS": new_key(),
             "REDIS_URL": "redis://127.0.0.1:1"},
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode().strip()


async def test_a_flow_is_tried_and_rehearsed_from_a_terminal(
    dsn: str, database: Database, tmp_path: Path
) -> None:
    async with database.transaction() as tx:
        await publish(tx, find_template("dns-records"), note="test")
    code, said = await typed("app.cli.flow.rehearse", "dry_run", "dns-records", dsn=dsn)
    assert (code, "takes dns_record" in said) == (0, True)
    pins = tmp_path / "pins.json"
    pins.write_text('{"forward": {"name": "pinned"}}')
    code, said = await typed(
        "app.cli.flow.rehearse", "dry_run", "dns-records", "--pins", str(pins), "--until", "forward",
        "--json", dsn=dsn,
    )  # fmt: skip
    found = msgspec.json.decode(said)
    assert (code, found["ended"], found["path"][-1]["output"]) == (0, "until", {"name": "pinned"})
    code, said = await typed("app.cli.flow.rehearse", "rehearse", "dns-records", dsn=dsn)
    assert (code, said.splitlines()[-1]) == (0, "Score 66 of 100: 8 survived, 4 halts.")
    async with database.snapshot() as tx:
        assert await scores(tx) == {"dns-records": 66}
    code, said = await typed(
        "app.cli.flow.rehearse", "rehearse", "dns-records", "--least", "90", dsn=dsn
    )
    assert code == 1
    code, said = await typed("app.cli.flow.replay", "export_", str(uuid4()), dsn=dsn)
    assert code == 1
    assert "no run" in said.lower()
    code, said = await typed("app.cli.flow.replay", "replay_", str(RECORDED), dsn=dsn)
    assert (code, said) == (0, "dns-records: 4 steps, the same.")
