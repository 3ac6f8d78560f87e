"""A node for Slipway's flows: licences from a licence server."""
