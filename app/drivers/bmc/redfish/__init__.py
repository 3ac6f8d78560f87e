"""Redfish BMCs through sushy, behind the contracts of `app.drivers`."""

from app.drivers.bmc.redfish.fleet import RedfishFleet

__all__ = ["RedfishFleet"]
