"""Outlets of PDUs."""
