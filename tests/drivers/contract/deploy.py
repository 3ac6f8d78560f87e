"""What every deployer must do; an adapter's test class inherits and gives `deployer`."""

import pytest

from app.drivers.deploy.contract import Deployer
from app.drivers.deploy.spec import Family
from tests.drivers.deploy.specs import CALLBACK, VARIANTS, spec


class DeployerContract:
    """Needs the fixture `deployer`."""

    @pytest.mark.parametrize("family", list(Family))
    @pytest.mark.parametrize("changes", list(VARIANTS.values()), ids=list(VARIANTS))
    def test_the_machine_can_report_back(
        self, deployer: Deployer, family: Family, changes: dict[str, object]
    ) -> None:
        wanted = spec(family, **changes)
        everything = "".join(document.body for document in deployer.documents(wanted).values())
        for what in ("progress", "failed", "done", "post-install.sh"):
            assert f"{CALLBACK}/{what}" in everything

    @pytest.mark.parametrize("family", list(Family))
    def test_the_same_in_the_same_out(self, deployer: Deployer, family: Family) -> None:
        assert deployer.documents(spec(family)) == deployer.documents(spec(family))
        assert deployer.boot_script(spec(family)) == deployer.boot_script(spec(family))

    def test_scripts_are_ipxe(self, deployer: Deployer) -> None:
        assert deployer.disk_script().startswith("#!ipxe\n")
        assert deployer.card_script().startswith("#!ipxe\n")
        assert deployer.boot_script(spec(Family.DEBIAN)).startswith("#!ipxe\n")
        assert b"#!ipxe" in deployer.boot_iso("#!ipxe\n")
