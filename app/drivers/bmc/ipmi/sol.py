"""A serial console in the process of one BMC: serial over LAN by pyghmi, as long as wanted."""

import contextlib
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import msgspec
from pyghmi.exceptions import IpmiException, PyghmiException
from pyghmi.ipmi import console
from pyghmi.ipmi.private import session

from app.drivers.bmc.ipmi.answers import NO_SUCH_THING, NotOffered
from app.drivers.bmc.ipmi.verbs import APP, GET_DEVICE_ID
from app.drivers.bmc.ipmi.wire import Heard, SignIn, Typed
from app.drivers.bmc.vendors import profile_of_number

STALL_S = 20.0
"""After this long in one step the kernel ends the process: pyghmi gives up sending after 13 s."""
CLOSE_S = 2.0
PROBE_S = 0.3
LOOK_S = 0.02
FULL_S = 0.05
"""How long a BMC that has no room is left alone."""
NACK = 0x40
REFUSALS = ("SOL is disabled", "Maximum SOL session", "Cannot activate payload", "active for")


class Line(console.Console):  # type: ignore[misc]  # pyghmi ships no types
    """pyghmi's console, mended for the BMCs that there are."""

    acked = 0
    """The sequence number that the BMC acknowledged last."""
    is_full = False
    """Whether the BMC had no room for all of the last packet."""
    is_sending = False

    def _got_sol_payload(self, payload: Any) -> None:
        if not isinstance(payload, dict):
            self.acked = payload[1] & 0b1111
            self.is_full = bool(payload[3] & NACK)
        super()._got_sol_payload(payload)

    def _sendpendingoutput(self) -> None:
        # pyghmi sends the next packet from within the last one's: a long text, or a BMC that is
        # slow to take it, is a call too deep.
        if self.is_sending:
            return
        self.is_sending = True
        try:
            while self.pendingoutput and not self.broken:
                signal.setitimer(signal.ITIMER_REAL, STALL_S)
                super()._sendpendingoutput()
                if self.is_full:
                    _until(lambda: False, FULL_S)
        finally:
            self.is_sending = False

    def _got_payload_instance_info(self, response: Any) -> None:
        # A BMC that does not know the question still was kept awake by it.
        if response.get("code") not in NO_SUCH_THING:
            super()._got_payload_instance_info(response)

    def begin_anew(self) -> None:
        """Take another first number than the one that the session before ended with.

        A BMC that forgets to begin at 0 with a new session takes that number for something sent
        again: it acknowledges what is typed first, and drops it. Asked with nothing to type, it
        acknowledges what it takes for a repetition, and nothing else.
        """
        self.myseq, self.acked = 1, 0
        self.send_payload(bytearray((1, 0, 0, 0)), retry=False)
        with contextlib.suppress(TimeoutError):
            _until(lambda: self.acked == 1, PROBE_S)
        self.myseq = self.acked


def open_line(sign_in: SignIn, *, take_over: bool) -> tuple[Line, list[Any]]:
    """Return an active console and what it says from now on; bounded by the caller's alarm.

    With `take_over` another's console is ended. Raises IpmiException, NotOffered.
    """
    heard: list[Any] = []
    line = Line(
        sign_in.host,
        sign_in.username,
        sign_in.password,
        heard.append,
        port=sign_in.port,
        force=take_over,
    )
    while not (line.connected or line.broken):
        session.Session.wait_for_rsp(1.0)
    if line.broken:
        words = next((each["error"] for each in heard if isinstance(each, dict)), "it ended")
        if any(words.startswith(start) or start in words for start in REFUSALS):
            raise NotOffered("serial", words)
        raise IpmiException(words)
    told = line.ipmi_session.raw_command(netfn=APP, command=GET_DEVICE_ID)
    if not told.get("code"):
        number: int = struct.unpack("<I", bytes(told["data"][6:9]) + b"\0")[0] & 0xF_FFFF
        if profile_of_number(number).keeps_sol_sequence:
            line.begin_anew()
    return line, heard


def carry(ours: socket.socket, line: Line, heard: list[Any]) -> None:
    """Pass on what is typed and what is heard until either end closes; then sign out."""
    there = line.ipmi_session
    try:
        _converse(ours, line, heard)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        words = f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            ours.sendall(msgspec.json.encode(Heard(ended=words)) + b"\n")
    signal.setitimer(signal.ITIMER_REAL, CLOSE_S)
    with contextlib.suppress(PyghmiException):
        line.close()
        there.logout()


def _converse(ours: socket.socket, line: Line, heard: list[Any]) -> None:
    rest = b""
    while True:
        signal.setitimer(signal.ITIMER_REAL, STALL_S)
        session.Session.wait_for_rsp(LOOK_S)
        if not _pass_on(ours, heard) or line.broken:
            break
        if not select.select([ours], [], [], 0)[0]:
            continue
        if not (came := ours.recv(65_536)):
            break
        *lines, rest = (rest + came).split(b"\n")
        for each in lines:
            # Returns when the BMC has it, so who types faster than the line waits.
            line.send_data(msgspec.json.decode(each, type=Typed).data)


def _pass_on(ours: socket.socket, heard: list[Any]) -> bool:
    """Tell what was heard; return whether the console goes on."""
    while heard:
        said = heard.pop(0)
        if not isinstance(said, dict):
            ours.sendall(msgspec.json.encode(Heard(data=bytes(said))) + b"\n")
        elif "error" in said:
            ours.sendall(msgspec.json.encode(Heard(ended=str(said["error"]))) + b"\n")
            return False
    return True


def _until(holds: Callable[[], bool], for_s: float) -> None:
    end_s = time.monotonic() + for_s
    while not holds() and time.monotonic() < end_s:
        session.Session.wait_for_rsp(LOOK_S)
