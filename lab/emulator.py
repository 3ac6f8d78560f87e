"""The sushy-emulator as a process of its own: `python -m lab.emulator SETTINGS_JSON`.

It is sushy-tools' own Flask application with its fake driver. Two things are set
here because no option of `sushy-emulator` sets them: power transitions take the
hardware's 1 to 11 s divided by the lab's speed, and the state is cached in memory
(the process is its only writer) so that a request costs no dozen SQLite connections.
"""

import json
import logging
import os
import random
import signal
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
from sushy_tools import error
from sushy_tools.emulator import main as emulator_main
from sushy_tools.emulator import memoize
from sushy_tools.emulator.resources.systems import fakedriver
from werkzeug import serving

from lab.emulator_settings import EmulatorSettings
from lab.parent import die_with_parent

STORAGE = "1"
TRANSITION_S = (1.0, 11.0)

ON = frozenset({"On", "ForceOn"})
OFF = frozenset({"ForceOff", "GracefulShutdown"})
RESTART = frozenset({"ForceRestart", "GracefulRestart", "PowerCycle"})


class CachedDict(memoize.PersistentDict):  # type: ignore[misc] # sushy-tools has no types
    """Write-through: reads come from memory, writes go to SQLite as before."""

    def __init__(self) -> None:
        self._cache: dict[Any, bytes] = {}

    def __getitem__(self, key: Any) -> Any:
        blob = self._cache.get(key)
        if blob is None:
            value = super().__getitem__(key)
            self._cache[key] = self.encode(value)
            return value
        return self.decode(blob)

    def __setitem__(self, key: Any, value: Any) -> None:
        blob = self.encode(value)
        if self._cache.get(key) != blob:
            super().__setitem__(key, value)
            self._cache[key] = blob

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._cache.pop(key, None)


class PacedDriver(fakedriver.FakeDriver):  # type: ignore[misc] # sushy-tools has no types
    """The fake driver at the lab's speed; changes of one machine never overlap.

    It adds to a system's state what an observer needs who looks only now and then:
    `power_cycles`, which counts restarts, and `transition`, the last one's times.
    """

    speed_file: Path

    def __init__(self) -> None:
        self._lock = threading.RLock()
        super().__init__()

    def _get(self, identity: str) -> Any:
        with self._lock:
            return super()._get(identity)

    def set_power_state(self, identity: str, state: str) -> None:
        """Begin a transition; a new request pre-empts one that is pending."""
        with self._lock:
            system = self._get(identity)
            if state in ON:
                target = "On"
            elif state in OFF:
                target = "Off"
            elif state in RESTART:
                # as in the fake driver: restarting a system that is off turns it on
                target = state if system["power_state"] == "On" else "On"
            else:
                raise error.NotSupportedError(f"Power state {state} is not supported")
            if system["power_state"] == target:
                self._update(system, pending_power=None)
                return
            now = time.time()
            apply_time = now + random.uniform(*TRANSITION_S) / self._speed()
            if target in RESTART:
                system["power_state"] = "Off"
                system["power_cycles"] = system.get("power_cycles", 0) + 1
            self._update(
                system,
                pending_power={"power_state": target, "apply_time": apply_time},
                transition={"to": target, "began_at": now, "ends_at": apply_time},
            )

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        with self._lock:
            super().set_boot_device(identity, boot_source)

    def set_boot_mode(self, identity: str, boot_mode: str) -> None:
        with self._lock:
            super().set_boot_mode(identity, boot_mode)

    def set_secure_boot(self, identity: str, secure: bool) -> None:
        with self._lock:
            super().set_secure_boot(identity, secure)

    def set_boot_image(
        self,
        identity: str,
        device: str,
        boot_image: str | None = None,
        write_protected: bool = True,
    ) -> None:
        with self._lock:
            super().set_boot_image(identity, device, boot_image, write_protected)

    def get_total_memory(self, identity: str) -> int | None:
        return self._get(identity).get("ram_gb")  # type: ignore[no-any-return] # untyped state

    def get_total_cpus(self, identity: str) -> int | None:
        return self._get(identity).get("cpu_count")  # type: ignore[no-any-return] # untyped state

    def _speed(self) -> float:
        return float(self.speed_file.read_text())


def main(settings_path: Path) -> None:
    """Serve until SIGTERM; prints `listening PORT` once when ready."""
    die_with_parent(signal.SIGKILL)
    settings = msgspec.json.decode(settings_path.read_bytes(), type=EmulatorSettings)
    memoize.PersistentDict = CachedDict
    PacedDriver.speed_file = Path(settings.speed_file)
    fakedriver.FakeDriver = PacedDriver
    app = emulator_main.app
    app.configure(extra_config=_flask_config(settings))
    app.logger.setLevel(logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    _ = app.systems  # a bad state folder is told now, not at the first request
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.private_key)
    # With HTTP/1.1 the front keeps its connections: a TLS handshake a request is not a BMC's time.
    serving.WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = serving.make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"listening {server.port}", flush=True)
    server.serve_forever()


def _flask_config(settings: EmulatorSettings) -> dict[str, Any]:
    return {
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_STATE_DIR": settings.state_folder,
        "SUSHY_EMULATOR_AUTH_FILE": settings.auth_file,
        "SUSHY_EMULATOR_VMEDIA_VERIFY_SSL": False,
        "SUSHY_EMULATOR_FAKE_SYSTEMS": [
            {
                "uuid": system.uuid,
                "name": system.name,
                "power_state": "Off",
                "external_notifier": False,
                "nics": [{"mac": system.mac, "ip": ""}],
                "ram_gb": system.ram_gb,
                "cpu_count": system.cpu_count,
                "power_cycles": 0,
                "boot_device": "None",
            }
            for system in settings.systems
        ],
        "SUSHY_EMULATOR_STORAGE": {
            system.uuid: [
                {
                    "Id": STORAGE,
                    "Name": "Disks",
                    "StorageControllers": [],
                    "Drives": [drive.id for drive in system.drives],
                }
            ]
            for system in settings.systems
        },
        "SUSHY_EMULATOR_DRIVES": {
            (system.uuid, STORAGE): [
                {
                    "Id": drive.id,
                    "Name": drive.id,
                    "CapacityBytes": drive.capacity_gb * 10**9,
                    "Protocol": "NVMe" if drive.kind == "nvme" else "SATA",
                }
                for drive in system.drives
            ]
            for system in settings.systems
        },
    }


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (OSError, error.FishyError, json.JSONDecodeError, msgspec.DecodeError) as problem:
        raise SystemExit(f"sushy-emulator did not start: {problem}") from problem
