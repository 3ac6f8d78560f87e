"""Ports and VLANs of switches."""
