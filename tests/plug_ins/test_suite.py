"""The example's own tests, which are the contract suite as other packages use it."""

import sys
from importlib import import_module

from tests.plug_ins.packages import NIMBUS

_FOLDERS = [str(NIMBUS / "src"), str(NIMBUS / "tests")]
sys.path += _FOLDERS
_adapter = import_module("test_adapter")
for _folder in _FOLDERS:
    sys.path.remove(_folder)

TestNimbus = _adapter.TestNimbus
both, http, hypervisor, want = (
    _adapter.both,
    _adapter.http,
    _adapter.hypervisor,
    _adapter.want,
)
