"""Gives birth to BMC processes: `python -m app.drivers.bmc.ipmi.nursery FD`.

It has pyghmi loaded and does nothing else, so that a child is a fork: some milliseconds and few
pages of its own, where a fresh interpreter costs 0.2 s of CPU and 30 MB. It is the children's
parent, so only it can end one without the danger that the number is another process's by then.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys

from app.drivers.bmc.ipmi.child import serve
from app.drivers.bmc.ipmi.wire import BORN, FORK, KILL, MESSAGE, READY


def main(control: socket.socket) -> None:
    """Serve until the other end is closed; children that are left end with their own sockets."""
    # Ctrl-C reaches the whole group of processes; whoever started us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended, tell = socket.socketpair()
    tell.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    # What is there now is never freed: its pages stay shared with the children.
    gc.collect()
    gc.freeze()
    children: set[int] = set()
    control.sendall(MESSAGE.pack(READY, 0))
    while True:
        ready, _, _ = select.select([control, ended], [], [])
        if ended in ready:
            ended.recv(4096)
            _bury(children)
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MESSAGE.size, 1)
            if len(message) < MESSAGE.size:
                signal.set_wakeup_fd(-1)  # a child may end after the socket that would tell
                return
            letter, number = MESSAGE.unpack(message)
            if letter == FORK:
                children.add(pid := _fork(descriptors[0], control))
                control.sendall(MESSAGE.pack(BORN, pid))
            elif letter == KILL and number in children:
                os.kill(number, signal.SIGKILL)


def _fork(descriptor: int, control: socket.socket) -> int:
    """Return the id of a child that serves the socket, and has none else of the sockets here."""
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()  # else nobody would see its end for as long as this child lives
        serve(socket.socket(fileno=descriptor))
    finally:
        os._exit(0)  # a child never comes back into the loop


def _bury(children: set[int]) -> None:
    """Take note of who has ended; until then its number is no one else's."""
    with contextlib.suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            children.discard(pid)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
