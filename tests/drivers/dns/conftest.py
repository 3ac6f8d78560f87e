"""One Knot for all the tests of a module; each test uses names of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.dns.knot import Knot, knot


@pytest.fixture(scope="module")
def ns1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    folder: Path = tmp_path_factory.mktemp("knot")
    with knot(folder) as served:
        yield served
