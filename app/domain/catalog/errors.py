"""What is refused about a product."""

from uuid import UUID

from app.core.errors import Conflict


class ProductChanged(Conflict):
    code = "catalog.changed"

    def __init__(self, product: UUID, *, what: str) -> None:
        super().__init__(
            f"Someone else changed {what} meanwhile. What you typed is still here; compare it with "
            "what is saved now, then save again."
        )
        self.product = product
