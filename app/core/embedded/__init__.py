"""Servers that Slipway brings along: a real PostgreSQL and a real Redis out of wheels."""
