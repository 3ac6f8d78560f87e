"""Look at the addresses of the command line and print who answers, as JSON; `!` is an error."""

import sys
from ipaddress import ip_address

import msgspec
import uvloop

from app.drivers.probe.contract import CannotProbe
from app.drivers.probe.network import NetworkProber


async def look() -> dict[str, str]:
    try:
        found = await NetworkProber().who_answers([ip_address(text) for text in sys.argv[1:]])
    except CannotProbe as error:
        return {"!": error.message}
    return {str(address): words for address, words in found.items()}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(look())))
