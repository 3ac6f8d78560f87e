"""A real BIND."""

import contextlib
import shutil
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
options {{
    directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file "{folder}/named.pid";
    session-keyfile "{folder}/session.key";
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{ }};
key slipway {{ algorithm hmac-sha256; secret "{secret}"; }};
key reader {{ algorithm hmac-sha256; secret "{reader}"; }};
"""
ZONE = 'zone "{zone}" {{ type primary; file "{file}"; allow-update {{ key slipway; }}; }};\n'


@contextlib.contextmanager
def bind(folder: Path) -> Iterator[NameServer]:
    """Run it until the block ends; install it first where it is missing."""
    # Debian's AppArmor profile keeps /usr/sbin/named to its own folders; a copy is under none.
    named, port = folder / "named", free_port()
    shutil.copy2(program("named", "bind9"), named)
    zones = "".join(ZONE.format(zone=zone, file=file) for zone, file in write_zones(folder).items())
    config = folder / "named.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, secret=SECRET, reader=READER) + zones)
    with serving([named, "-g", "-n", "1", "-c", config], folder, port) as served:
        yield served
