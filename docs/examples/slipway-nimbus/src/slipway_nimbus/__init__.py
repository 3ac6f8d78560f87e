"""Nimbus as a provider of virtual machines."""
