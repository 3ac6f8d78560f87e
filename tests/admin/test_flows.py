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
    await stage.halted(client=1)
    shipped = files("app.flows.templates").joinpath("dedicated-server.json").read_text()
    document = parse(shipped)
    named = replace(document.nodes["install"], name="Install it <now>")
    async with stage.database.transaction() as tx:
        nodes = {**document.nodes, "install": named}
        await publish(tx, replace(document, nodes=nodes), note="a better name")
    listed = (await owner.get("/admin/flows")).text
    for words in ("Dedicated server", "version 2", "100.0%"):
        assert words in listed
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
