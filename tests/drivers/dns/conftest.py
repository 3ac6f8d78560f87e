"""One server of each kind for all the tests of a module; each test uses names of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.dns.bind import bind
from tests.drivers.dns.knot import knot
from tests.drivers.dns.name_server import NameServer


@pytest.fixture(scope="module", params=[knot, bind], ids=["knot", "bind"])
def ns1(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NameServer]:
    folder: Path = tmp_path_factory.mktemp("ns1")
    with request.param(folder) as served:
        yield served
