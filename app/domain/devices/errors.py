"""Why a switch or a PDU cannot be used."""

from uuid import UUID

from app.core.errors import Refusal


class NotReached(Refusal):
    """Nothing is written down of how the device is reached."""

    code = "devices.no_access"

    def __init__(self, device: UUID) -> None:
        super().__init__(
            f"Device {device} has no access. Write down its address and account on its page."
        )
        self.device = device


class ChangeIsOver(Refusal):
    """The change was made, dropped or failed meanwhile."""

    code = "devices.change_is_over"

    def __init__(self, state: str) -> None:
        super().__init__(f"The change is {state} and cannot be made. Ask for a new one.")
        self.state = state


class NoOutlet(Refusal):
    """The server's power cannot be taken away by PDUs."""

    code = "devices.no_outlet"

    def __init__(self, server: UUID, reason: str) -> None:
        super().__init__(f"Server {server} cannot be powered by outlets: {reason}.")
        self.server = server
        self.reason = reason
