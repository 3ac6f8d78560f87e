import pytest
from tests.admin.test_looks import *
from uuid import uuid4
SQL = """WITH i AS (INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, state, created_at, updated_at, purpose)
 SELECT gen_random_uuid(), NULL, id, 'x', 'x', 'x', 'installed', now(), now(), 'erase' FROM server WHERE id = $1 RETURNING id, server)
 INSERT INTO disk_erasure (id, installation, server, disk, kind, model, serial, size_bytes, method, error, ended_at)
 SELECT gen_random_uuid(), i.id, i.server, d.n, 'nvme', 'SAMSUNG MZQL2960HCJR-00A07', 'S64FNE0R50' || d.n, 960197124096, 'nvme format, cryptographic erase', d.e, '2026-03-01 01:50+00' FROM i, (VALUES ('nvme0n1', ''), ('nvme1n1', 'NVMe status: Invalid Field in Command')) AS d (n, e)"""
@pytest.mark.parametrize("size,theme", [("desk","light"),("phone","dark")])
async def test_shots(stage, owner, address, contexts, size, theme):
    order = await stage.delivered(host="one.example.org")
    async with stage.database.transaction() as tx:
        sid = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
        await tx.execute(SQL, sid)
    w, h_ = SIZES[size]
    ctx = await contexts(viewport={"width": w, "height": h_}, color_scheme=theme, reduced_motion="reduce")
    session = session_of(owner)
    await ctx.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": address}])
    page = await ctx.new_page()
    for name, path in (("server", f"/admin/servers/{sid}"), ("service", f"/admin/services/{order.service_id}"), ("deed", f"/admin/services/{order.service_id}/reinstall")):
        await page.goto(address + path)
        assert await violations(page) == []
        assert await page.evaluate(SPILL) == 0
        await page.screenshot(path=f"/tmp/work/hwflows-shot-admin-{size}-{name}.png", full_page=True)
