"""pyghmi's sessions, mended for the BMCs that there are.

pyghmi offers suite 17 (SHA-256) and goes on to 3 (SHA-1) only when the BMC refuses in so many
words. Some BMCs say nothing to an offer that they do not know, and some answer with another suite
than the one that was offered, whose digests then look like those of a wrong password.

An answer that comes before pyghmi has begun to wait for it lies there until the time to send again,
up to a second later: so it never waits long without looking.
"""

from typing import Any, ClassVar

from pyghmi.ipmi.private import session

SHA256_SUITE = 17
SHA1_SUITE = 3
SHA1, SHA256 = 1, 3
"""Authentication algorithms, IPMI 2.0 table 13-17."""
ALGORITHM_AT = 16
"""Where the Open Session response names the one that it chose (table 13-10)."""


LOOK_EVERY_S = 0.02


def look_often() -> None:
    """Cut pyghmi's waits short; all of its loops look again by themselves."""
    wait = session._io_wait  # noqa: SLF001 - the one place where all its waits pass

    def wait_shortly(timeout: float, *where: Any, **more: Any) -> None:
        wait(min(timeout, LOOK_EVERY_S), *where, **more)

    session._io_wait = wait_shortly  # noqa: SLF001


class Login(session.Session):  # type: ignore[misc]  # pyghmi ships no types
    """A session that comes down to SHA-1 by itself."""

    first_hash: ClassVar[int] = 256
    """256 or 1: what is offered first."""

    def _initsession(self) -> None:
        super()._initsession()
        self.attemptedhash = self.first_hash

    def _got_rmcp_response(self, data: bytearray) -> int | None:
        chose_sha1 = len(data) > ALGORITHM_AT and data[1] == 0 and data[ALGORITHM_AT] == SHA1
        if chose_sha1 and self.attemptedhash == 256:
            self._offer_sha1()
            return None
        came: int | None = super()._got_rmcp_response(data)
        if self.attemptedhash == 1:
            # After a lost packet, pyghmi begins anew: with what is known to be right.
            Login.first_hash = 1
        return came

    def _timedout(self) -> None:
        if self.sessioncontext == "OPENSESSION" and self.attemptedhash == 256:
            self._offer_sha1()
        else:
            super()._timedout()

    def _offer_sha1(self) -> None:
        Login.first_hash = self.attemptedhash = 1
        self._open_rmcpplus_request()
