"""PDUs by SNMP, by pysnmp.

Each PDU has an engine of its own, which is kept: one costs 80 ms to make, and knows a user's name
once, while two PDUs may have different passwords for it.
"""

import asyncio
import logging
import time
from collections import OrderedDict

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC96_SHA,
    USM_PRIV_CFB128_AES,
    USM_PRIV_NONE,
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    set_cmd,
)
from pysnmp.proto.rfc1902 import Integer32

from app.drivers.errors import (
    DriverError,
    NotReached,
    Refused,
    Retriable,
    Unauthorised,
    Unreachable,
)
from app.drivers.pdu.contract import PduAddress
from app.drivers.pdu.profiles import PROFILES, Profile, oid
from app.drivers.power import Power

ANSWER_S = 1.0
TRIES = 2
"""Beyond the first: a lost datagram is no dead PDU."""
WHOLE_S = 8.0
"""Of one request, the discovery of its engine (SNMPv3) included."""
LOOK_AGAIN_S = 0.25
MOST_ENGINES = 64
_REJECTED = ("wrongDigest", "unknownUserName", "unsupportedSecurityLevel", "decryptionError")
_BUSY = {"genErr", "resourceUnavailable", "commitFailed"}

logging.getLogger("pysnmp").setLevel(logging.WARNING)


class SnmpPdus:
    """Adapter of `app.drivers.pdu.contract.Pdus`."""

    def __init__(self) -> None:
        self._engines: OrderedDict[tuple[object, ...], SnmpEngine] = OrderedDict()

    async def read(self, pdu: PduAddress, outlet: int) -> Power:
        profile = _profile(pdu)
        value = await self._call(pdu, outlet, profile.state, None)
        return profile.states.get(value, Power.UNKNOWN)

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        ends_s = time.monotonic() + deadline_s
        seen = await self.read(pdu, outlet)
        if seen is wanted:
            return
        profile = _profile(pdu)
        where, value = profile.on if wanted is Power.ON else profile.off
        await self._call(pdu, outlet, where, value)
        while (seen := await self.read(pdu, outlet)) is not wanted:
            if time.monotonic() >= ends_s:
                raise NotReached(pdu.name, wanted=wanted, seen=seen, deadline_s=deadline_s)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].close_dispatcher()

    def _engine(self, pdu: PduAddress) -> SnmpEngine:
        key = (pdu.host, pdu.port, pdu.username, pdu.secret, pdu.privacy)
        if key not in self._engines:
            while len(self._engines) >= MOST_ENGINES:
                self._engines.popitem(last=False)[1].close_dispatcher()
            self._engines[key] = SnmpEngine()
        self._engines.move_to_end(key)
        return self._engines[key]

    async def _call(self, pdu: PduAddress, outlet: int, below: str, value: int | None) -> int:
        """Get a number, or set it; returns what the PDU answers."""
        command = get_cmd if value is None else set_cmd
        asked = ObjectType(
            ObjectIdentity(oid(below, outlet)), *(() if value is None else (Integer32(value),))
        )
        try:
            async with asyncio.timeout(WHOLE_S):
                target = await UdpTransportTarget.create(
                    (pdu.host, pdu.port), timeout=ANSWER_S, retries=TRIES
                )
                failure, status, _, found = await command(
                    self._engine(pdu), _known_as(pdu), target, ContextData(), asked, lookupMib=False
                )
        except TimeoutError as error:
            raise Unreachable(pdu.name, f"no answer within {WHOLE_S:g} s") from error
        except (PySnmpError, OSError) as error:
            raise Unreachable(pdu.name, str(error) or type(error).__name__) from error
        if failure:
            raise _unanswered(pdu, failure)
        if status:
            raise _refused(pdu, outlet, status.prettyPrint())
        try:
            return int(found[0][1])
        except (TypeError, ValueError) as error:
            reason = "there is no such outlet, or it is another maker's PDU"
            raise Refused(pdu.name, field=f"outlet {outlet}", reason=reason) from error


def _profile(pdu: PduAddress) -> Profile:
    found = PROFILES.get(pdu.dialect)
    if found is None:
        raise Refused(pdu.name, field="dialect", reason=f"{pdu.dialect} is not known")
    return found


def _known_as(pdu: PduAddress) -> CommunityData | UsmUserData:
    if not pdu.username:
        return CommunityData(pdu.secret.reveal(), mpModel=1)  # noqa: S508 - many PDUs know no other
    return UsmUserData(
        pdu.username,
        authKey=pdu.secret.reveal(),
        privKey=pdu.privacy.reveal() if pdu.privacy else None,
        authProtocol=USM_AUTH_HMAC96_SHA,
        privProtocol=USM_PRIV_CFB128_AES if pdu.privacy else USM_PRIV_NONE,
    )


def _unanswered(pdu: PduAddress, failure: Exception) -> DriverError:
    words = str(failure)
    if type(failure).__name__[:1].lower() + type(failure).__name__[1:] in _REJECTED:
        return Unauthorised(pdu.name, f"it does not know {pdu.username}: {words}")
    if "timeout" in words.lower() or "No SNMP response" in words:
        # A PDU says nothing to a community that it does not know.
        return Unreachable(pdu.name, words)
    return Retriable(pdu.name, words)


def _refused(pdu: PduAddress, outlet: int, status: str) -> DriverError:
    if status in {"noAccess", "authorizationError", "notWritable", "readOnly"}:
        return Unauthorised(pdu.name, f"it may read only: {status}")
    if status in _BUSY:
        return Retriable(pdu.name, status)
    return Refused(pdu.name, field=f"outlet {outlet}", reason=status)
