"""Why a connection cannot be used, changed or removed."""

from uuid import UUID

from app.core.errors import Conflict, Refusal


class UnknownConnection(Refusal):
    code = "connections.unknown"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no connection {name}. Add it under Connections, or name another in the flow."
        )
        self.name = name


class WrongKind(Refusal):
    code = "connections.wrong_kind"

    def __init__(self, name: str, *, kind: str, wanted: str) -> None:
        super().__init__(f"The connection {name} is of kind {kind}; this needs one of {wanted}.")
        self.name = name
        self.kind = kind
        self.wanted = wanted


class ConnectionInUse(Refusal):
    code = "connections.in_use"

    def __init__(self, name: str, flows: tuple[str, ...]) -> None:
        super().__init__(
            f"{', '.join(flows)} call{'s' if len(flows) == 1 else ''} {name}. Publish them without "
            "it, and let their runs end; then it can be removed."
        )
        self.name = name
        self.flows = flows


class ConnectionHasMachines(Refusal):
    code = "connections.has_machines"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} stays: {why}. Take it out of the products' rules and end those services "
            "first; then it can be removed."
        )
        self.name = name


class ConnectionChanged(Conflict):
    code = "connections.changed"

    def __init__(self, connection: UUID) -> None:
        super().__init__(
            "Someone else changed this connection meanwhile. What you typed is still here; compare "
            "it with what it is now, then save again."
        )
        self.connection = connection
