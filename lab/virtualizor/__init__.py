"""A stand-in of Virtualizor: its admin API with what it refuses, and machines that are rows.

`fields.json` is what its maker's SDK and modules of billing systems send; the rest is refused.
"""
