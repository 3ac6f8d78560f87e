"""`dry-run`, `rehearse` and `replay` as an operator types them."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import msgspec

from app.core.database import Database
from app.core.secrets import new_key
from app.flows.dryrun.score import scores
from app.flows.gallery import find_template
from app.flows.publish import publish
from tests.cli.slipway import slipway

RECORDED = min(
    (Path(__file__).parents[1] / "flows" / "histories" / "recorded").glob("dns-records.*.well.json")
)


async def flow(*words: str, dsn: str) -> tuple[int, str]:
    """Run `slipway flow` without a Redis; returns its exit code and all that it said."""
    return await _typed("flow", words, dsn)


async def run(*words: str, dsn: str) -> tuple[int, str]:
    return await _typed("run", words, dsn)


async def _typed(group: str, words: Sequence[str], dsn: str) -> tuple[int, str]:
    code, said = await slipway(
        group, *words, DATABASE_URL=dsn, SLIPWAY_KEYS=new_key(), REDIS_URL="redis://127.0.0.1:1"
    )
    return code, said.strip()


async def test_a_flow_is_tried_and_rehearsed_from_a_terminal(
    dsn: str, database: Database, tmp_path: Path
) -> None:
    async with database.transaction() as tx:
        await publish(tx, find_template("dns-records"), note="test")
    code, said = await flow("dry-run", "dns-records", dsn=dsn)
    assert (code, "takes dns_record" in said) == (0, True)
    pins = tmp_path / "pins.json"
    pins.write_text('{"forward": {"name": "pinned"}}')
    code, said = await flow(
        "dry-run", "dns-records", "--pins", str(pins), "--until", "forward",
        "--json", dsn=dsn,
    )  # fmt: skip
    found = msgspec.json.decode(said)
    assert (code, found["ended"], found["path"][-1]["output"]) == (0, "until", {"name": "pinned"})
    code, said = await flow("rehearse", "dns-records", dsn=dsn)
    assert (code, said.splitlines()[-1]) == (0, "Score 66 of 100: 8 survived, 4 halts.")
    async with database.snapshot() as tx:
        assert await scores(tx) == {"dns-records": 66}
    code, said = await flow("rehearse", "dns-records", "--least", "90", dsn=dsn)
    assert code == 1
    code, said = await run("export", str(uuid4()), dsn=dsn)
    assert code == 1
    assert "no run" in said.lower()
    code, said = await run("replay", str(RECORDED), dsn=dsn)
    assert (code, said) == (0, "dns-records: 4 steps, the same.")
