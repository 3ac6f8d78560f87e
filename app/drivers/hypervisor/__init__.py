"""Hypervisors and panels that make virtual machines for us."""
