"""A stand-in of SolusVM 2: its API with what it refuses, and servers that are rows of a table.

`endpoints.json` is what its maker's SDK and WHMCS module send; what they never send is refused.
"""
