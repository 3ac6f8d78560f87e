"""How a peer (a BMC, a payment gateway, a mail server) failed us, in its own words.

Every adapter raises only these. The flow interpreter retries a `Retriable` and
nothing else: wrong credentials are not tried again, because BMCs lock accounts.
"""


class DriverError(Exception):
    """A call to `peer` failed; `message` is what the peer said and carries no secret."""

    def __init__(self, peer: str, message: str) -> None:
        super().__init__(f"{peer}: {message}")
        self.peer = peer
        self.message = message


class Retriable(DriverError):
    """The peer may well answer otherwise in a moment: a 5xx, a lock, a rate limit."""


class Unreachable(Retriable):
    """Nothing answered: refused, reset, timed out, or still busy with an earlier call."""


class Busy(Unreachable):
    """It was not asked: an earlier call of ours had not ended. Says nothing of the peer."""


class RateLimited(Retriable):
    """It was not done: we ask too often. Ask again after `after_s`, not before."""

    def __init__(self, peer: str, message: str, *, after_s: float) -> None:
        super().__init__(peer, f"{message}; it asks to wait for {after_s:g} s")
        self.after_s = after_s


class NotReached(Retriable):
    """The peer accepted the order and the state did not follow within the deadline."""

    def __init__(self, peer: str, *, wanted: str, seen: str, deadline_s: float) -> None:
        super().__init__(peer, f"asked for {wanted}, still {seen} after {deadline_s:g} s")
        self.wanted = wanted
        self.seen = seen
        self.deadline_s = deadline_s


class Unauthorised(DriverError):
    """The credentials were rejected; a person must correct them."""


class Refused(DriverError):
    """The peer will not do this, now or later; `field` names what to change."""

    def __init__(self, peer: str, *, field: str, reason: str) -> None:
        super().__init__(peer, f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InUse(Refused):
    """Another has it, and the peer lets one use it at a time; it can be taken from them."""


class BadSignature(DriverError):
    """A webhook that its alleged sender did not sign, or signed too long ago."""


class Unanswered(Retriable):
    """The call was sent, and nobody knows what came of it: the answer got lost or never came."""
