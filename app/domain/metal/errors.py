"""Why nothing is done about a server at a cloud."""

from uuid import UUID

from app.core.errors import Conflict


class ErrandUnderWay(Conflict):
    code = "metal.under_way"

    def __init__(self, server: UUID, errand: UUID) -> None:
        super().__init__(
            "A worker is at this server at a cloud already. Wait until it is through, or stop it."
        )
        self.server = server
        self.errand = errand


class ErrandIsOver(Conflict):
    code = "metal.errand_is_over"

    def __init__(self, state: str) -> None:
        super().__init__(f"It is {state}. Load the page again to see how it stands.")
        self.state = state


class InUse(Conflict):
    """The cloud would clean or inspect a machine that an order has, or that can be sold."""

    code = "metal.in_use"

    def __init__(self, server: UUID, state: str) -> None:
        todo = (
            "Begin its maintenance first: it must not be sold meanwhile."
            if state == "available"
            else "An order has it, and the cloud would take it from its client."
        )
        super().__init__(f"The server is {state}. {todo}")
        self.server = server
        self.state = state


class LeftCleaning(Conflict):
    """A server that was to be cleaned by its cloud does not wait for that any more."""

    code = "metal.left_cleaning"

    def __init__(self, server: UUID, state: str) -> None:
        super().__init__(f"The server is {state}, and does not wait to be cleaned any more.")
        self.server = server
        self.state = state


class StillSold(Conflict):
    """A machine runs something, and our books say that it can be sold."""

    code = "metal.still_sold"

    def __init__(self, server: UUID) -> None:
        super().__init__(
            "The server is in stock, so nothing of a client's runs on it. Begin its maintenance "
            "first, or adopt it to be cleaned and offered."
        )
        self.server = server


class HasNode(Conflict):
    code = "metal.has_node"

    def __init__(self, connection: str, node: str) -> None:
        super().__init__(
            f"The server is node {node} of {connection} already. Take it out of there first."
        )
        self.connection = connection
        self.node = node


class HasNoNode(Conflict):
    code = "metal.has_no_node"

    def __init__(self, server: UUID) -> None:
        super().__init__("No cloud has this server. Enrol it, or adopt a node for it.")
        self.server = server


class CloudSilent(Conflict):
    code = "metal.cloud_silent"

    def __init__(self, connection: str, words: str) -> None:
        super().__init__(f"{connection} could not be asked: {words}")
        self.connection = connection
        self.words = words
