"""A real Ironic from PyPI: API and conductor in one process, over sqlite.

It knows its callers by HTTP basic. Run as a program, it is installed and its database made.
"""

import contextlib
import fcntl
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bcrypt

from tests.drivers.environment import environment
from tests.drivers.process import await_listening, free_port

REQUIREMENTS = ("ironic==39.0.0",)
USER, PASSWORD = "slipway", "fit for a test"
START_S = 120.0
CONFIG = """\
[DEFAULT]
auth_strategy = http_basic
http_basic_auth_user_file = {folder}/htpasswd
rpc_transport = none
my_ip = 127.0.0.1
host = tests
state_path = {folder}
enabled_hardware_types = fake-hardware,redfish
enabled_bios_interfaces = fake,no-bios
enabled_boot_interfaces = fake,redfish-virtual-media
enabled_console_interfaces = fake,no-console
enabled_deploy_interfaces = fake,direct,ramdisk
enabled_firmware_interfaces = fake,no-firmware
enabled_inspect_interfaces = fake,no-inspect,redfish
enabled_management_interfaces = fake,redfish
enabled_network_interfaces = noop
enabled_power_interfaces = fake,redfish
enabled_raid_interfaces = fake,no-raid
enabled_rescue_interfaces = fake,no-rescue
enabled_storage_interfaces = fake,noop
enabled_vendor_interfaces = fake,no-vendor
[api]
host_ip = 127.0.0.1
port = {port}
api_workers = 1
max_limit = 5
[database]
connection = sqlite:///{folder}/ironic.sqlite
[service_catalog]
auth_type = none
endpoint_override = http://127.0.0.1:{port}
[agent]
require_tls = false
[dhcp]
dhcp_provider = none
[deploy]
http_url = http://127.0.0.1:{files}
http_root = {folder}
[conductor]
automated_clean = true
sync_power_state_interval = 600
power_state_change_timeout = 5
deploy_callback_timeout = 1
clean_callback_timeout = 1
check_provision_state_interval = 1
power_failure_recovery_interval = 1
[redfish]
connection_attempts = 1
connection_retry_interval = 1
"""


def installed() -> Path:
    """Return the `bin` of its environment; a migrated, empty database lies beside it."""
    programs = environment("ironic", *REQUIREMENTS)
    database = programs.parent / "ironic.sqlite"
    with (programs.parent / "ironic.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.exists():
            made = programs.parent / "making"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            config = _config(made, port=6385, files=8080)
            command = [programs / "ironic-dbsync", "--config-file", config, "create_schema"]
            subprocess.run(command, check=True, capture_output=True, timeout=START_S)
            (made / "ironic.sqlite").rename(database)
    return programs


def _config(folder: Path, *, port: int, files: int) -> Path:
    config = folder / "ironic.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, files=files))
    digest = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4, prefix=b"2b")).decode()
    (folder / "htpasswd").write_text(f"{USER}:{digest}\n")
    return config


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def files_of(folder: Path) -> Iterator[int]:
    """Serve a folder by HTTP until the block ends; gives the port."""
    handler = partial(_Files, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def ironic(folder: Path) -> Iterator[str]:
    """Run one until the block ends; gives its address."""
    with files_of(folder) as files, _running(folder, files) as url:
        yield url


@contextlib.contextmanager
def _running(folder: Path, files: int) -> Iterator[str]:
    programs, port = installed(), free_port()
    shutil.copy(programs.parent / "ironic.sqlite", folder / "ironic.sqlite")
    config, log = _config(folder, port=port, files=files), folder / "ironic.log"
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [programs / "ironic", "--config-file", config],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environ,
        )
        try:
            await_listening(process, port, log, START_S)
            yield f"http://127.0.0.1:{port}"
        finally:
            # It takes seconds to stop by itself, and what it has is thrown away.
            process.kill()
            process.wait(15)


if __name__ == "__main__":
    installed()
