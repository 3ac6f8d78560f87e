"""Why an order cannot be placed, paid or moved on."""

from uuid import UUID

from app.core.errors import Refusal


class OrderNotAllowed(Refusal):
    """The order is in a state from which there is no way to the one wanted."""

    code = "orders.not_allowed"

    def __init__(self, order: UUID, *, state: str, wanted: str) -> None:
        super().__init__(
            f"The order is {state.replace('_', ' ')} and cannot become "
            f"{wanted.replace('_', ' ')}. Load the page again to see how it stands."
        )
        self.order = order
        self.state = state
        self.wanted = wanted


class OutOfStock(Refusal):
    """What was chosen cannot be held now; nothing was charged and nothing is held.

    `explanation` is for staff: which rule or which pool ran out.
    """

    code = "orders.out_of_stock"

    def __init__(self, product: str, *, explanation: str) -> None:
        super().__init__(
            f"{product} is sold out in this configuration, and nothing was charged. "
            "Choose another one, or come back later."
        )
        self.product = product
        self.explanation = explanation


class AccountDisabled(Refusal):
    code = "orders.account_disabled"

    def __init__(self) -> None:
        super().__init__("This account is closed to new orders. Please write to support.")


class KeyReused(Refusal):
    """An idempotency key came back with another order in its form."""

    code = "orders.key_reused"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"This form was already sent and became order {number}, with other choices. "
            "Look at that order, or open the order form again."
        )
        self.number = number


class OrderAtWork(Refusal):
    """A machine is being set up for the order just now."""

    code = "orders.at_work"

    def __init__(self, order: UUID, *, server: str) -> None:
        super().__init__(
            f"Server {server} is being set up for this order. Stop its flow first; "
            "once its steps are undone, the order can be cancelled."
        )
        self.order = order
        self.server = server


class ServerFixed(Refusal):
    """Another server cannot be chosen for the order any more."""

    code = "orders.server_fixed"

    def __init__(self, order: UUID, *, state: str, server: str | None) -> None:
        what = f"Server {server} is at work for it" if server else f"It is {state}"
        super().__init__(
            f"{what.replace('_', ' ')}: another server can be chosen only before its set-up begins."
        )
        self.order = order
        self.state = state
        self.server = server


class NotInStock(Refusal):
    """The server that was chosen by hand is not free."""

    code = "orders.not_in_stock"

    def __init__(self, server: str) -> None:
        super().__init__(
            f"Server {server} is not in stock, or is the order's already. Choose a free one."
        )
        self.server = server


class MachineIsVirtual(Refusal):
    """Servers are asked about for an order whose machine is virtual."""

    code = "orders.machine_is_virtual"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The machine of order {number} is virtual: its flow plans it at a provider, and no "
            "server of the inventory is taken. Its page tells where it is."
        )
        self.number = number


class AlreadyPaid(Refusal):
    """A client cannot cancel what is paid; staff can."""

    code = "orders.already_paid"

    def __init__(self, order: UUID) -> None:
        super().__init__("This order is paid and on its way. Write to support to cancel it.")
        self.order = order
