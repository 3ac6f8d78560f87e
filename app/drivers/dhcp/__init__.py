"""Host reservations of a DHCP server."""
