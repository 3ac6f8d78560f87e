"""A BMC by pyghmi's server half: unlike `ipmi_sim` it keeps the boot flags. Run with a port.

It keeps no EFI flag (bmclib#459: accepted, and legacy), and offered SHA-256 it takes SHA-1. Run
with `all` besides, it keeps whatever it is sent, as the specification has it.
"""

import sys
from typing import Any, ClassVar

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


class Keeping(Flagged):
    """Keeps two boot options: 3, when it clears the flags, and 5, the flags themselves."""

    options: ClassVar[dict[int, list[int]]] = {3: [0], 5: [0, 0, 0, 0, 0]}

    def set_system_boot_options(self, request: Any, session: Any) -> None:
        number, *value = request["data"]
        self.options[number] = value
        session.send_ipmi_response()

    def get_system_boot_options(self, request: Any, session: Any) -> None:
        number = request["data"][0]
        session.send_ipmi_response(data=[1, number, *self.options[number]])


if __name__ == "__main__":
    kind = Keeping if "all" in sys.argv else Flagged
    kind({USER: PASSWORD}, port=int(sys.argv[1]), address="127.0.0.1")
    bmc.Bmc.listen()
