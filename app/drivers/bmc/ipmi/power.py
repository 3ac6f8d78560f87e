"""Power orders over IPMI."""

from app.drivers.bmc.ipmi.link import Link
from app.drivers.bmc.switch import PowerOrder
from app.drivers.power import Power


class IpmiPower:
    """The `app.drivers.bmc.switch.PowerWire` of IPMI."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self) -> Power:
        return Power(await self._link.call("read_power"))

    async def send(self, order: PowerOrder) -> bool:
        await self._link.call("send_power", order=order.value)
        return True
