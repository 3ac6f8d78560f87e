"""Why a server cannot be had, kept or moved."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.core.errors import Refusal
from app.solver.explain import Explanation
from app.solver.obstacles import Obstacle
from app.solver.room import RESOURCES

NAMED = 3
"""Relaxations that a message names; the explanation has them all."""
RACKS = frozenset(name for name, _ in RESOURCES)
"""Rules that racks set, not the want: told where they keep a server out."""


class NoServer(Refusal):
    """No free server serves the want; `explanation` says which rule ruled out how many."""

    code = "inventory.no_server"

    def __init__(self, explanation: Explanation) -> None:
        told = [rule for rule in explanation.rules if rule.eliminated or rule.rule not in RACKS]
        wanted = "; ".join(rule.label for rule in told) or "any server"
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


class ServerHasServed(Refusal):
    """The history of services or installations refers to the server."""

    code = "inventory.has_served"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has served orders, and their history refers to it. "
            "Leave it in maintenance for good, and say so in the reason."
        )
        self.name = name


class BurnInUnderWay(Refusal):
    """Whoever wants the server otherwise stops its burn-in first."""

    code = "inventory.burn_in_under_way"

    def __init__(self, server: UUID) -> None:
        super().__init__("The server is being burned in. Stop the burn-in first.")
        self.server = server


class NotBurnedIn(Refusal):
    """Some of several servers cannot be burned in, so none is; `reasons` by the server's name."""

    code = "inventory.not_burned_in"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        lines = [f"{name}: {reasons[name]}" for name in sorted(reasons)]
        head = "None of them is burned in. Leave these out, or see to them:"
        super().__init__("\n".join([head, *lines]))
        self.reasons = reasons


class NoBurnIn(Refusal):
    """There is nothing to stop."""

    code = "inventory.no_burn_in"

    def __init__(self, server: UUID) -> None:
        super().__init__(
            "The server is not being burned in. Load the page again to see how it stands."
        )
        self.server = server


class ServerAtCloud(Refusal):
    """A cloud of bare metal has its BMC: we boot nothing there."""

    code = "inventory.at_cloud"

    def __init__(self, server: UUID) -> None:
        super().__init__(
            "A cloud has this server, and boots it. Have the cloud test it, or take it back first."
        )
        self.server = server


class PowerAsWanted(Refusal):
    """There is nothing to put right."""

    code = "inventory.power_as_wanted"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is as it should be by now, or its BMC does not say. Nothing was switched."
        )
        self.name = name


class PowerMoved(Refusal):
    """It is not in the power any more that a person wanted to take for right."""

    code = "inventory.power_moved"

    def __init__(self, name: str, *, power: str) -> None:
        super().__init__(f"{name} is {power} by now. Look at it again.")
        self.name = name
        self.power = power


class NoBmc(Refusal):
    """Nothing is known of the server's management controller."""

    code = "inventory.no_bmc"

    def __init__(self, server: UUID) -> None:
        super().__init__(
            f"Server {server} has no BMC written down. Add its URL and sign-in, then try again."
        )
        self.server = server


class NoRoom(Refusal):
    """The machine cannot stand there; `obstacles` are all the rules that refuse it."""

    code = "inventory.no_room"

    def __init__(self, name: str, obstacles: Sequence[Obstacle]) -> None:
        why = " ".join(one.text for one in obstacles)
        super().__init__(f"{name} cannot stand there: {why} Choose another place.")
        self.name = name
        self.obstacles = tuple(obstacles)


class NoPlan(Refusal):
    """There are no moves that do it, or none that were found in time."""

    code = "inventory.no_plan"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"No plan of moves {what}. Only servers that nobody has are moved; "
            "ask for less, or free a rack by hand."
        )


class StillPlugged(Refusal):
    """A device cannot go while cables or a place keep it."""

    code = "inventory.still_plugged"

    def __init__(self, name: str, cables: int) -> None:
        super().__init__(
            f"{cables} cable{'' if cables == 1 else 's'} of {name} "
            f"{'is' if cables == 1 else 'are'} still plugged in. Unplug first."
        )
        self.name = name
        self.cables = cables
