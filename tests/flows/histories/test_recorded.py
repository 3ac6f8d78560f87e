"""Every released version of every shipped flow goes on this code as it went when it was recorded."""

from pathlib import Path

import msgspec
import pytest

from app.flows.document import content_hash
from app.flows.dryrun.keep import BadRecording, read_written, written
from app.flows.dryrun.replay import replay
from app.flows.gallery import find_template, list_templates

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))
RENEW = "record them: .venv/bin/pytest tests/flows/histories/record.py"


def test_every_shipped_flow_is_recorded_as_it_is_now() -> None:
    recorded = {tuple(path.name.split(".")[:2]) for path in RECORDED}
    shipped = {(row.slug, content_hash(find_template(row.slug))[:8]) for row in list_templates()}
    assert shipped <= recorded, f"{sorted(shipped - recorded)} are not; {RENEW}"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    recording = read_written(path.read_bytes())
    found = await replay(recording)
    assert found.differences == ()
    assert found.steps > 0
    assert written(recording) == path.read_text()


async def test_what_this_code_would_do_otherwise_is_found() -> None:
    """A history that this release did not write: another parameter, output, path and step."""
    path = next(path for path in RECORDED if path.name.startswith("dns-records"))
    recording = read_written(path.read_bytes())
    created, addressed, *_ = recording.attempts

    async def of(*attempts: object) -> set[tuple[str, str]]:
        changed = msgspec.structs.replace(recording, attempts=attempts)
        found = await replay(changed)
        return {(one.node, one.what) for one in found.differences}

    rest = recording.attempts[2:]
    other = msgspec.structs.replace
    assert await of(*recording.attempts) == set()
    assert (addressed.node, "path") in await of(created, other(addressed, port="false"), *rest)
    assert (rest[0].node, "parameter") in await of(
        created, addressed, other(rest[0], input={**rest[0].input, "name": "other"}), *rest[1:]
    )
    assert (rest[-1].node, "path") in await of(created, addressed, *rest[:-1])
    extra = other(rest[-1], node="gone")
    assert ("gone", "path") in await of(*recording.attempts, extra)


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b'{"recording": 7}', b'{"recording": 1, "document": {}}'],
    ids=["no json", "no map", "another format", "no document"],
)  # fmt: skip
def test_a_file_that_is_no_recording_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRecording, match="slipway run export"):
        read_written(raw)


def test_secrets_are_not_written() -> None:
    path = RECORDED[0]
    recording = read_written(path.read_bytes())
    first = msgspec.structs.replace(
        recording.attempts[0], output={"password": "hunter2", "name": "x"}
    )
    text = written(msgspec.structs.replace(recording, attempts=(first,), input={"token": "t0p"}))
    assert "hunter2" not in text
    assert "t0p" not in text
