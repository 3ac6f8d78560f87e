import pytest
from tests.portal.world import *
async def test_smoke(client, visitor, database, vault, ada):
    for path in ["/", "/?cycle=yearly&currency=USD", "/catalogue", "/products/metal-s", "/products/metal-s/stock","/orders","/services","/invoices", "/orders/rows"]:
        for b in (client, visitor):
            a = await b.get(path)
            print(path, a.status_code, len(a.text))
            assert a.status_code in (200,303), a.text[:3000]
