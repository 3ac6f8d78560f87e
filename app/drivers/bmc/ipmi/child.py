"""The process of one BMC: signs in by pyghmi, does what it is asked, signs out.

It may hang in pyghmi at any point. Before each call it sets an alarm that nobody handles: when the
deadline passes, the kernel ends the process, and whoever asked sees its socket close.
"""

import contextlib
import signal
import socket

import msgspec
from pyghmi.exceptions import IpmiException, PyghmiException
from pyghmi.ipmi import command
from pyghmi.ipmi.private import session

from app.drivers.bmc.ipmi.answers import NotOffered
from app.drivers.bmc.ipmi.login import SHA1_SUITE, SHA256_SUITE, Login, look_often
from app.drivers.bmc.ipmi.sol import carry, open_line
from app.drivers.bmc.ipmi.verbs import VERBS
from app.drivers.bmc.ipmi.wire import Answer, Ask, Fault, SignIn

LOG_OUT_S = 2.0
REJECTIONS = (
    "Incorrect password provided",
    "Unauthorized name",
    "Unauthorized role",
    "Invalid role",
    "Invalid integrity check value",
    "Invalid RAKP4 integrity code",
    "while requesting privelege level",
)
"""What pyghmi says when a BMC does not know us or does not let us do enough."""
LOST = ("Session no longer connected", "Session Disconnected")
TIMED_OUT = "timeout"


def serve(ours: socket.socket) -> None:
    """Answer each line that comes over the socket, and sign out when it is closed."""
    # pyghmi makes its sessions by this name; this process has no others.
    session.Session = Login
    look_often()
    ipmi: command.Command | None = None
    lines = ours.makefile("rb")
    if not (first := lines.readline()):
        return
    sign_in = msgspec.json.decode(first, type=SignIn)
    for line in lines:
        ask = msgspec.json.decode(line, type=Ask)
        signal.setitimer(signal.ITIMER_REAL, ask.deadline_s)
        if ask.verb == "serial":
            _serial(ours, sign_in, ask)
            return
        try:
            if ipmi is None:
                ipmi = _signed_in(sign_in)
            value = VERBS[ask.verb](ipmi, **ask.given)
            answer = Answer(value=value, cipher_suite=_suite(ipmi))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            answer = _fault(error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        ours.sendall(msgspec.json.encode(answer) + b"\n")
    if ipmi is not None:
        signal.setitimer(signal.ITIMER_REAL, LOG_OUT_S)
        with contextlib.suppress(PyghmiException):
            ipmi.ipmi_session.logout()


def _serial(ours: socket.socket, sign_in: SignIn, ask: Ask) -> None:
    """Open the serial console, and be nothing else from then on."""
    _offer_first(sign_in)
    try:
        line, heard = open_line(sign_in, **ask.given)
        suite = SHA256_SUITE if line.ipmi_session.attemptedhash == 256 else SHA1_SUITE
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        ours.sendall(msgspec.json.encode(_fault(error)) + b"\n")
        return
    ours.sendall(msgspec.json.encode(Answer(cipher_suite=suite)) + b"\n")
    carry(ours, line, heard)


def _signed_in(sign_in: SignIn) -> command.Command:
    _offer_first(sign_in)
    return command.Command(
        bmc=sign_in.host, userid=sign_in.username, password=sign_in.password, port=sign_in.port
    )


def _offer_first(sign_in: SignIn) -> None:
    Login.first_hash = 1 if sign_in.cipher_suite == SHA1_SUITE else 256


def _suite(ipmi: command.Command) -> int:
    return SHA256_SUITE if ipmi.ipmi_session.attemptedhash == 256 else SHA1_SUITE


def _fault(error: Exception) -> Answer:
    """Return what happened, in the BMC's words as pyghmi has them."""
    words = str(error) or type(error).__name__
    if isinstance(error, NotOffered):
        return Answer(fault=Fault.REFUSED, words=words, field=error.field)
    if isinstance(error, OSError) or words == TIMED_OUT:
        return Answer(fault=Fault.UNREACHABLE, words=words)
    if isinstance(error, IpmiException):
        told = ((Fault.UNAUTHORISED, REJECTIONS), (Fault.SESSION_LOST, LOST))
        for fault, texts in told:
            if any(text in words for text in texts):
                return Answer(fault=fault, words=words)
    if not isinstance(error, PyghmiException):
        words = f"the answer makes no sense: {type(error).__name__}: {words}"
    return Answer(fault=Fault.RETRIABLE, words=words)
