"""The web application for tests: assembled once a process, for that takes a second."""

from litestar import Litestar

from app.drivers.bmc.fleet import MixedFleet
from app.drivers.peers import Peers
from app.main import Supply, assemble
from app.resources import Resources

_ASSEMBLED: list[tuple[Supply, Litestar]] = []


def application(
    resources: Resources, *, peers: Peers | None = None, serials: MixedFleet | None = None
) -> Litestar:
    """Return the application over these resources; it forgets those of the test before."""
    if not _ASSEMBLED:
        supply = Supply(resources)
        _ASSEMBLED.append((supply, assemble(supply)))
    ((supply, app),) = _ASSEMBLED
    supply.put(resources)
    if peers is not None:
        supply.peers = peers
    if serials is not None:
        supply.serials = serials
    return app
