"""Contract suites for pytest: what every adapter must do, ours and those of other packages.

Nothing of Slipway itself imports them; pytest and pytest-asyncio come with who tests.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.hypervisor", f"{__name__}.game")
