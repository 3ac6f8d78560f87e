"""Calls over HTTP to whatever has an API."""
