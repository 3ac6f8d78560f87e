"""A BMC by pyghmi's server half: unlike `ipmi_sim` it keeps the boot flags. Run with a port.

It keeps no EFI flag (bmclib#459: accepted, and legacy), and offered SHA-256 it takes SHA-1.
"""

import sys
from typing import Any

from pyghmi.ipmi import bmc

USER, PASSWORD = "operator", "right-horse"


class Flagged(bmc.Bmc):  # type: ignore[misc]  # pyghmi ships no types
    device: Any = "default"

    def get_power_state(self) -> str:
        return "on"

    def power_off(self) -> None:
        """Say yes, and stay on."""

    def get_boot_device(self) -> Any:
        return self.device

    def set_boot_device(self, bootdevice: Any) -> None:
        if bootdevice != "optical":  # accepted and not done
            self.device = bootdevice


if __name__ == "__main__":
    Flagged({USER: PASSWORD}, port=int(sys.argv[1]), address="127.0.0.1")
    bmc.Bmc.listen()
