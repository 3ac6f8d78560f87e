"""Why a machine is not put right."""

from uuid import UUID

from app.core.errors import Conflict


class AsItShouldBe(Conflict):
    code = "machines.as_it_should_be"

    def __init__(self, service: UUID) -> None:
        super().__init__(
            "The machine is what its service says by now, or this is not the way to put it right. "
            "Look at it again."
        )
        self.service = service


class UnderWay(Conflict):
    code = "machines.under_way"

    def __init__(self, about: UUID) -> None:
        super().__init__("This is being done already; its outcome is kept in the audit trail.")
        self.about = about


class TwinMachine(Conflict):
    code = "machines.twin"

    def __init__(self, number: str, *, service: UUID) -> None:
        super().__init__(
            f"Machine {number} carries the mark of a service that has another one there, so the "
            "wrong one could be removed. Remove it at the provider by hand."
        )
        self.number = number
        self.service = service
