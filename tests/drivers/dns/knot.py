"""A real Knot."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.drivers.dns.name_server import (
    READER,
    SECRET,
    NameServer,
    program,
    serving,
    write_zones,
)
from tests.drivers.process import free_port

CONFIG = """\
server:
    listen: [ 127.0.0.1@{port} ]
    rundir: "{folder}"
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
key:
  - id: slipway
    algorithm: hmac-sha256
    secret: {secret}
  - id: reader
    algorithm: hmac-sha256
    secret: {reader}
acl:
  - id: change
    key: slipway
    action: [ update, query, transfer ]
  - id: look
    key: reader
    action: [ query ]
template:
  - id: default
    storage: "{folder}"
    acl: [ change, look ]
    zonefile-sync: -1
    journal-content: changes
zone:
"""


@contextlib.contextmanager
def knot(folder: Path) -> Iterator[NameServer]:
    """Run it until the block ends; install it first where it is missing."""
    knotd, port = program("knotd", "knot"), free_port()
    zones = "".join(
        f"  - domain: {zone}\n    file: {file}\n" for zone, file in write_zones(folder).items()
    )
    config = folder / "knot.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, secret=SECRET, reader=READER) + zones)
    with serving([knotd, "-c", config], folder, port) as served:
        yield served
