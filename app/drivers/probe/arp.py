"""Ask for neighbours by ARP probes, as who takes an address itself has to (RFC 5227, 2.1.1).

A machine that drops pings still answers to ARP. The sender's address is left empty, so that
nobody's cache is changed by the question.
"""

import contextlib
import socket
import struct
from collections.abc import Collection
from ipaddress import IPv4Address

from app.drivers.probe.contract import Address
from app.drivers.probe.rounds import ask_and_listen

ETHERTYPE = 0x0806
REQUEST = 1
EVERYONE = b"\xff" * 6
_HEAD = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_PREAMBLE = (1, 0x0800, 6, 4)  # Ethernet, IPv4, and how long their addresses are


def question(mac: bytes, target: IPv4Address) -> bytes:
    """Return the frame of a probe for `target`, sent by the interface with that address."""
    nobody = bytes(4)
    return _HEAD.pack(EVERYONE, mac, ETHERTYPE) + _ARP.pack(
        *_PREAMBLE, REQUEST, mac, nobody, bytes(6), target.packed
    )


def answer(frame: bytes) -> tuple[IPv4Address, str] | None:
    """Return the address that a frame claims for its sender, and the sender's MAC."""
    if len(frame) < _HEAD.size + _ARP.size:
        return None
    *preamble, _, mac, sender, _, _ = _ARP.unpack_from(frame, _HEAD.size)
    if tuple(preamble) != _PREAMBLE or sender == bytes(4):
        return None
    return IPv4Address(sender), mac.hex(":")


async def ask_neighbours(interface: str, targets: Collection[IPv4Address]) -> dict[Address, str]:
    """Return who answers behind `interface`. Raises PermissionError without CAP_NET_RAW."""
    found: dict[Address, str] = {}
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    with contextlib.closing(wire):
        wire.bind((interface, ETHERTYPE))
        mac = wire.getsockname()[4]

        def ask() -> None:
            for target in set(targets) - found.keys():
                wire.send(question(mac, target))

        def hear() -> bool:
            said = answer(wire.recv(2_048))
            if said is not None and said[0] in targets:
                found[said[0]] = f"{said[1]} answers to ARP"
            return len(found) == len(targets)

        await ask_and_listen(wire, ask, hear)
    return found
