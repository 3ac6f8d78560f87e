"""A file is taken in whole, or nothing of it."""

import pytest

from app.core.database import Tx
from app.flows.transfer import CannotImport, export, import_flow
from tests.flows.validate.kinds import line


async def test_a_file_is_taken_in_whole_or_not_at_all(tx: Tx) -> None:
    text = export(line(a=("t.note", {"connection": "dns"})))
    with pytest.raises(CannotImport, match="no connection dns; make it first"):
        await import_flow(tx, text, connections=(), note="from a file")
    assert await tx.fetchval("SELECT count(*) FROM flow") == 0
    await import_flow(tx, text, connections={"dns"}, note="from a file")
    await import_flow(tx, text, connections={"dns"}, note="a copy", slug="copy")
    rows = await tx.fetch("SELECT slug FROM flow ORDER BY slug")
    assert [row["slug"] for row in rows] == ["copy", "test"]
