"""Ask addresses behind a router, and IPv6 neighbours, by ICMP echo (RFC 792, RFC 4443)."""

import contextlib
import errno
import secrets
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass

from app.drivers.probe.contract import Address
from app.drivers.probe.rounds import ask_and_listen

TOKEN_BYTES = 16
_HEAD = struct.Struct("!BBHHH")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one family says it."""

    family: socket.AddressFamily
    number: int
    request: int
    reply: int


ICMP = Protocol(socket.AF_INET, socket.IPPROTO_ICMP, 8, 0)
ICMPV6 = Protocol(socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129)


def open_socket(protocol: Protocol) -> socket.socket:
    """Return a socket that may ping. Raises PermissionError where the system lets us by neither.

    A datagram one needs no capability where `net.ipv4.ping_group_range` has our group in it.
    """
    try:
        return socket.socket(protocol.family, socket.SOCK_DGRAM, protocol.number)
    except PermissionError:
        return socket.socket(protocol.family, socket.SOCK_RAW, protocol.number)


def question(protocol: Protocol, token: bytes) -> bytes:
    """Return an echo request; the kernel, which knows the addresses, corrects that of ICMPv6."""
    blank = _HEAD.pack(protocol.request, 0, 0, 1, 1) + token
    return _HEAD.pack(protocol.request, 0, checksum(blank), 1, 1) + token


def is_answer(protocol: Protocol, packet: bytes, token: bytes) -> bool:
    """Say whether a packet, behind its IPv4 header if it has one, is the reply to our request."""
    if protocol is ICMP and packet[:1] and packet[0] >> 4 == 4:
        packet = packet[(packet[0] & 0xF) * 4 :]
    return packet[:1] == bytes([protocol.reply]) and packet[_HEAD.size :] == token


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def ping(protocol: Protocol, targets: Collection[Address]) -> dict[Address, str]:
    """Return who answers. Raises PermissionError, and OSError where no way leads to one."""
    by_text = {str(target): target for target in targets}
    found: dict[Address, str] = {}
    token = secrets.token_bytes(TOKEN_BYTES)
    with contextlib.closing(open_socket(protocol)) as wire:

        def ask() -> None:
            for target in set(targets) - found.keys():
                try:
                    wire.sendto(question(protocol, token), (str(target), 0))
                except OSError as error:
                    # That a neighbour is not there is an answer, and the one that is hoped for.
                    if error.errno != errno.EHOSTUNREACH:
                        raise

        def hear() -> bool:
            packet, sender = wire.recvfrom(2_048)
            target = by_text.get(sender[0])
            if target is not None and is_answer(protocol, packet, token):
                found[target] = "it answers to ping"
            return len(found) == len(targets)

        await ask_and_listen(wire, ask, hear)
    return found
