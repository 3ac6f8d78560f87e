"""A machine whose serial line answers."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator

COLOURED = b"\x1b[38;2;90;200;255mblue\x1b[0m"


class Machine(socketserver.BaseRequestHandler):
    """What hangs on the serial line: it says in brackets what is typed, and to Tab a colour."""

    def handle(self) -> None:
        while typed := self.request.recv(1024):
            self.request.sendall(COLOURED if typed == b"\t" else b"<" + typed + b">")


@contextlib.contextmanager
def serial_machine() -> Iterator[str]:
    """Run it until the block ends; where its line is, as `ipmi_sim` wants to know it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Machine) as machine:
        machine.daemon_threads = True
        machine.block_on_close = False
        threading.Thread(target=machine.serve_forever, args=(0.05,), daemon=True).start()
        yield f"tcp:127.0.0.1:{machine.server_address[1]}"
        machine.shutdown()
