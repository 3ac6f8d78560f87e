"""Why a server cannot be had, kept or moved."""

from uuid import UUID

from app.core.errors import Refusal
from app.solver.explain import Explanation

NAMED = 3
"""Relaxations that a message names; the explanation has them all."""


class NoServer(Refusal):
    """No free server serves the want; `explanation` says which rule ruled out how many."""

    code = "inventory.no_server"

    def __init__(self, explanation: Explanation) -> None:
        wanted = "; ".join(rule.label for rule in explanation.rules) or "any server"
        ways = "; ".join(step.text for step in explanation.relaxations[:NAMED])
        todo = (
            f"Relax a rule of the product ({ways}), or add servers."
            if ways
            else "Add servers, or put some back into stock."
        )
        free = f"{explanation.total} free server{'' if explanation.total == 1 else 's'}"
        super().__init__(f"None of {free} fits: {wanted}. {todo}")
        self.wanted = wanted
        self.explanation = explanation


class NotHeld(Refusal):
    """The order has no server, or none in the state that the step needs."""

    code = "inventory.not_held"

    def __init__(self, holder: UUID, *, wanted: str) -> None:
        super().__init__(
            f"Order {holder} holds no server that could become {wanted}. Allocate one first."
        )
        self.holder = holder
        self.wanted = wanted


class ServerNotAllowed(Refusal):
    """The server is in a state from which there is no way to the one wanted."""

    code = "inventory.not_allowed"

    def __init__(self, server: UUID, *, state: str, wanted: str) -> None:
        super().__init__(
            f"The server is {state} and cannot become {wanted}. "
            "Load the page again to see how it stands."
        )
        self.server = server
        self.state = state
        self.wanted = wanted


class NoBmc(Refusal):
    """Nothing is known of the server's management controller."""

    code = "inventory.no_bmc"

    def __init__(self, server: UUID) -> None:
        super().__init__(
            f"Server {server} has no BMC written down. Add its URL and sign-in, then try again."
        )
        self.server = server
