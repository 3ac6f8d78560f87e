"""Clouds that own bare metal: they install, clean and power the machines that we choose."""
