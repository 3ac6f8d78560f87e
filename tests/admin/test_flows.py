"""Flows: listed with how they run, their versions compared and exported."""

import json
from importlib.resources import files

from msgspec.structs import replace

from app.flows.document import parse
from app.flows.publish import publish
from tests.admin.stage import Stage
from tests.security.browser import Browser


async def test_flows_their_versions_and_what_these_changed(stage: Stage, owner: Browser) -> None:
    await stage.delivered()
    _, stuck = await stage.halted(client=1, error="disk <b>dead</b>")
    shipped = files("app.flows.templates").joinpath("dedicated-server.json").read_text()
    document = parse(shipped)
    named = replace(document.nodes["install"], name="Install it <now>")
    async with stage.database.transaction() as tx:
        nodes = {**document.nodes, "install": named}
        await publish(tx, replace(document, nodes=nodes), note="a better name")
    listed = (await owner.get("/admin/flows")).text
    row = listed[listed.index("Dedicated server") :]
    row = row[: row.index("</tr>")]
    for words in (
        "version 2", "100.0%", "2 in 24 h", "1 under way", "p99 ",
        f"/admin/runs/{stuck}", "disk &lt;b&gt;dead&lt;/b&gt;",
    ):  # fmt: skip
        assert words in row
    served = listed[listed.index("A paid order starts") :]
    assert "Dedicated server, version 2" in served
    page = (await owner.get("/admin/flows/dedicated-server")).text
    assert "a better name" in page
    changes = (await owner.get("/admin/flows/dedicated-server/changes/1/2")).text
    assert "<ins>Install it &lt;now&gt;</ins>" in changes
    exported = await owner.get("/admin/flows/dedicated-server/file")
    assert "dedicated-server-2.json" in exported.headers["content-disposition"]
    assert json.loads(exported.text)["nodes"]["install"]["name"] == "Install it <now>"
    for odd in ("none", "none/file", "dedicated-server/changes/0/2",
                f"dedicated-server/changes/1/{2**40}", "dedicated-server/changes/1/9"):  # fmt: skip
        assert (await owner.get(f"/admin/flows/{odd}")).status_code == 404
