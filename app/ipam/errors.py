"""Why a piece of address space cannot be had."""

from app.core.errors import Refusal


class SpaceExhausted(Refusal):
    """Fewer offsets are free than were asked for; `wanted` and `free` are counts of offsets."""

    code = "ipam.space_exhausted"

    def __init__(self, message: str | None = None, *, wanted: int, free: int) -> None:
        super().__init__(
            message
            or f"{wanted} are needed and {free} are free. "
            "Add a prefix, or mark another one auto-allocatable."
        )
        self.wanted = wanted
        self.free = free


class NoFreeBlock(SpaceExhausted):
    """No aligned run of `wanted` offsets is free, though single ones may be."""

    code = "ipam.no_free_block"

    def __init__(self, *, wanted: int, free: int) -> None:
        super().__init__(
            f"No aligned block of {wanted} is free as a whole ({free} single ones are). "
            "Ask for a smaller block, or add a prefix.",
            wanted=wanted,
            free=free,
        )


class OutsidePrefix(Refusal):
    """An address, offset, length or subnet does not lie in the prefix it was looked up in."""

    code = "ipam.outside_prefix"

    def __init__(self, network: object, what: object) -> None:
        super().__init__(f"{what} does not lie in {network}. Choose the prefix that holds it.")
        self.network = str(network)
        self.what = str(what)
