"""IPMI BMCs through pyghmi, behind the contracts of `app.drivers`.

pyghmi blocks, and against a BMC that falls silent during sign-in for ever. So each BMC in use has
a process of its own, forked in milliseconds from one that has pyghmi loaded (`nursery`); what it
does there is in `child`, and a call that does not end in time ends with its process.
"""

from app.drivers.bmc.ipmi.fleet import IpmiFleet

__all__ = ["IpmiFleet"]
