"""Virtualizor, by its admin API. Source: its maker's SDK and modules of billing systems."""
