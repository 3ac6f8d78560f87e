"""A stand-in of SolusVM 1: its admin API with what it refuses, in JSON or in fragments of XML.

`actions.json` is what a published module sends; what it never sends is refused.
"""
