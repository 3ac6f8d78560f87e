"""Panels that make game servers for us."""
