"""Boot scripts, the boot ISO, passwords, and what no specification may contain."""

import re
import shutil
import struct
import subprocess
from io import BytesIO
from pathlib import Path

import pycdlib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passlib.hash import sha512_crypt

from app.core.errors import Invalid
from app.drivers import registry
from app.drivers.deploy.live import LiveImage, LiveSpec, Purpose
from app.drivers.deploy.netboot import (
    boot_from_disk,
    build_boot_iso,
    hash_password,
    new_password,
    render_ipxe,
    script_of_media,
)
from app.drivers.deploy.netboot.fat import fat_image
from app.drivers.deploy.netboot.passwords import ROUNDS
from app.drivers.deploy.spec import Disks, Family, Ipv4, Ipv6
from tests.drivers.contract.deploy import DeployerContract
from tests.drivers.deploy.specs import CALLBACK, KEY, VARIANTS, spec


class TestNetboot(DeployerContract):
    @pytest.fixture
    def deployer(self):
        return registry.load("deploy", "netboot")()

    def test_the_answers_of_each_family(self, deployer) -> None:
        names = {family: set(deployer.documents(spec(family))) for family in Family}
        assert names == {
            Family.DEBIAN: {"preseed.cfg", "autoexec.ipxe", "boot.ipxe", "post-install.sh"},
            Family.UBUNTU: {
                "user-data",
                "meta-data",
                "vendor-data",
                "autoexec.ipxe",
                "boot.ipxe",
                "post-install.sh",
            },
            Family.ALMALINUX: {"ks.cfg", "autoexec.ipxe", "boot.ipxe", "post-install.sh"},
        }

    def test_the_iso_boots_by_a_configured_binary(self, tmp_path: Path) -> None:
        binary = tmp_path / "ipxe.efi"
        binary.write_bytes(b"MZ" + bytes(1000))
        deployer = registry.load("deploy", "netboot")(binary)
        assert b"EL TORITO SPECIFICATION" in deployer.boot_iso("#!ipxe\n")
        assert deployer.boot_file() == binary.read_bytes()
        assert registry.load("deploy", "netboot")().boot_file() is None


class TestScripts:
    @pytest.mark.parametrize(
        ("family", "argument"),
        [
            (Family.DEBIAN, "preseed/url=${base}/preseed.cfg"),
            (Family.UBUNTU, "ds=nocloud-net;s=${base}/"),
            (Family.ALMALINUX, "inst.ks=${base}/ks.cfg"),
        ],
    )
    def test_the_installer_is_told_where_its_answers_are(
        self, family: Family, argument: str
    ) -> None:
        lines = render_ipxe(spec(family)).splitlines()
        assert lines[0] == "#!ipxe"
        assert lines[-1] == "boot"
        assert f"set base {CALLBACK}" in lines
        (kernel,) = [line for line in lines if line.startswith("kernel ")]
        assert argument in kernel.split()
        assert len(kernel) < 1900  # the kernel's command line is 2,048 at most

    def test_boot_from_disk_installs_nothing(self) -> None:
        assert "kernel" not in boot_from_disk()
        assert boot_from_disk().startswith("#!ipxe\n")

    def test_a_boot_iso_gets_the_network_by_itself(self) -> None:
        lines = script_of_media(spec(Family.DEBIAN, vlan=120)).splitlines()
        wanted = spec(Family.DEBIAN)
        chain = f"chain --autofree {CALLBACK}/boot.ipxe ||"
        assert f"iseq ${{net3/mac}} {wanted.mac} && set card net3 ||" in lines
        tagged = lines.index("set card ${card}-120")
        address = lines.index(f"set ${{card}}/ip {wanted.ipv4.address}")
        assert lines[tagged - 1] == "vcreate --tag 120 ${card} ||"
        assert tagged < address < lines.index(chain)
        assert lines.index(chain) < lines.index("dhcp ${card} || goto later"), "if that fails"
        untagged = script_of_media(wanted)
        assert "vcreate" not in untagged
        assert "set ${card}/netmask " in untagged

    def test_a_boot_iso_of_who_has_no_address_asks_dhcp(self) -> None:
        live = LiveSpec(
            purpose=Purpose.ERASE, name="box", mac="52:54:00:12:34:56", nameservers=("192.0.2.53",),
            image=LiveImage(*[f"http://192.0.2.10/{name}" for name in ("vmlinuz", "initrd", "live")]),
            callback_base=CALLBACK,
        )  # fmt: skip
        script = script_of_media(live)
        assert "ifopen" not in script
        assert "dhcp ${card}" in script


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("hostname", {"hostname": "web1; reboot"}),
            ("hostname", {"hostname": "{{ 7*7 }}"}),
            ("hostname", {"hostname": "$(id)"}),
            ("hostname", {"hostname": "a\nb"}),
            ("hostname", {"hostname": "web1\n"}),
            ("hostname", {"hostname": "-web"}),
            ("hostname", {"hostname": "WEB"}),
            ("hostname", {"hostname": "a" * 64}),
            ("domain", {"domain": "example.com --initrd"}),
            ("kernel_url", {"kernel_url": "http://x/${net0/mac}"}),
            ("mirror_url", {"mirror_url": "ftp://mirror.example.net/"}),
            ("callback_base", {"callback_base": CALLBACK + "/"}),
            ("callback_base", {"callback_base": "http://x/'; id; '"}),
            ("release", {"release": "bookworm main"}),
            ("mac", {"mac": "52:54:00:AA:00:01"}),
            ("ipv4", {"ipv4": Ipv4(address="198.51.100.7;", prefixlen=24, gateway="198.51.100.1")}),
            ("ipv4", {"ipv4": Ipv4(address="198.51.100.7", prefixlen=33, gateway="198.51.100.1")}),
            ("extra_ipv4", {"extra_ipv4": ("2001:db8::1",)}),
            ("ipv6", {"ipv6": Ipv6(address="fe80::1%eth0", prefixlen=64)}),
            ("vlan", {"vlan": 4095}),
            ("nameservers", {"nameservers": ()}),
            ("root_password_hash", {"root_password_hash": "hunter2"}),
            ("ssh_keys", {"root_password_hash": None}),
            ("ssh_keys", {"ssh_keys": (f"{KEY}\nssh-rsa AAAA",)}),
            ("ssh_port", {"ssh_port": 0}),
            ("disks", {"disks": Disks(raid=10, count=2)}),
            ("disks", {"disks": Disks(raid=1, count=2, devices=("/dev/sda", "/dev/sda"))}),
            ("disks", {"disks": Disks(devices=("/dev/sda sdb",))}),
            ("image_url", {"family": Family.UBUNTU, "image_url": None}),
        ],
    )
    def test_what_could_be_read_as_code_is_refused(
        self, field: str, changes: dict[str, object]
    ) -> None:
        family = changes.pop("family", Family.DEBIAN)
        with pytest.raises(Invalid) as caught:
            spec(family, **changes)
        assert list(caught.value.fields) == [field]

    def test_a_password_in_clear_is_not_repeated(self) -> None:
        with pytest.raises(Invalid) as caught:
            spec(Family.DEBIAN, root_password_hash="hunter2")
        assert "hunter2" not in str(caught.value)

    @given(st.text(max_size=30))
    def test_whatever_host_name_passes_stays_one_word(self, hostname: str) -> None:
        try:
            wanted = spec(Family.DEBIAN, hostname=hostname)
        except Invalid:
            return
        assert re.fullmatch("[a-z0-9-]+", wanted.hostname)


class TestPasswords:
    def test_new_ones_differ_and_verify(self) -> None:
        passwords = {new_password() for _ in range(200)}
        assert len(passwords) == 200
        password = passwords.pop()
        assert len(password) == 20
        assert sha512_crypt.verify(password, hash_password(password))
        assert not sha512_crypt.verify(password + "x", hash_password(password))

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is the second opinion")
    def test_openssl_computes_the_same(self) -> None:
        ours = sha512_crypt.using(rounds=ROUNDS, salt="saltstring").hash("Hello world!")
        theirs = subprocess.run(
            ["openssl", "passwd", "-6", "-salt", "saltstring", "Hello world!"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ours == theirs.stdout.strip()

    def test_its_form_is_what_a_specification_accepts(self) -> None:
        assert spec(Family.DEBIAN, root_password_hash=hash_password("x")).root_password_hash


class TestIso:
    def test_the_script_is_at_the_root(self) -> None:
        for binary in (None, bytes(range(256)) * 5000):
            iso = pycdlib.PyCdlib()
            iso.open_fp(BytesIO(build_boot_iso("#!ipxe\nboot\n", ipxe_efi=binary)))
            for where in (
                {"iso_path": "/AUTOEXEC.IPX;1"},
                {"rr_path": "/autoexec.ipxe"},
                {"joliet_path": "/autoexec.ipxe"},
            ):
                out = BytesIO()
                iso.get_file_from_iso_fp(out, **where)
                assert out.getvalue() == b"#!ipxe\nboot\n"
            iso.close()

    def test_firmware_finds_the_binary(self) -> None:
        """Walk as UEFI does: boot record → catalogue → EFI entry → FAT image → BOOTX64.EFI."""
        binary = bytes(range(256)) * 5000
        iso = build_boot_iso("#!ipxe\nboot\n", ipxe_efi=binary)
        record = iso[17 * 2048 : 18 * 2048]
        assert record[7:30] == b"EL TORITO SPECIFICATION"
        catalogue = iso[struct.unpack_from("<I", record, 0x47)[0] * 2048 :][:2048]
        assert sum(struct.unpack("<16H", catalogue[:32])) & 0xFFFF == 0
        entries = [catalogue[at : at + 32] for at in range(32, 2048, 32)]
        efi = next(entry for entry in entries if entry[0] == 0x88)
        assert 0xEF in {catalogue[1], *(entry[1] for entry in entries if entry[0] in {0x90, 0x91})}
        image = iso[struct.unpack_from("<I", efi, 8)[0] * 2048 :]
        assert read_fat(image, "EFI/BOOT/BOOTX64.EFI") == binary
        assert read_fat(image, "autoexec.ipxe") == b"#!ipxe\nboot\n"


class TestFat:
    @given(
        st.dictionaries(
            st.from_regex(r"[a-z]{1,20}\.[a-z]{1,12}", fullmatch=True),
            st.binary(max_size=9000),
            min_size=1,
            max_size=6,
        )
    )
    def test_what_goes_in_comes_out(self, files: dict[str, bytes]) -> None:
        image = fat_image({f"EFI/BOOT/{name}": content for name, content in files.items()})
        for name, content in files.items():
            assert read_fat(image, f"EFI/BOOT/{name}") == content

    def test_too_much_is_refused(self) -> None:
        with pytest.raises(ValueError, match="8 MB"):
            fat_image({"A.BIN": bytes(9_000_000)})


def read_fat(image: bytes, path: str) -> bytes:
    """Read one file from a FAT12 image by the specification, apart from what wrote it."""
    sector, per_cluster, reserved, fats, roots = struct.unpack_from("<HBHBH", image, 11)
    fat_sectors = struct.unpack_from("<H", image, 22)[0]
    fat = image[reserved * sector :]
    root_at = (reserved + fats * fat_sectors) * sector
    data_at = root_at + roots * 32

    def chain(first: int) -> bytes:
        out = b""
        while 2 <= first < 0xFF8:
            at = data_at + (first - 2) * per_cluster * sector
            out += image[at : at + per_cluster * sector]
            pair = struct.unpack_from("<H", fat, first * 3 // 2)[0]
            first = pair >> 4 if first % 2 else pair & 0xFFF
        return out

    def find(folder: bytes, name: str) -> tuple[int, int]:
        long = ""
        for at in range(0, len(folder), 32):
            entry = folder[at : at + 32]
            if entry[0] == 0:
                break
            if entry[11] == 0x0F:
                part = (entry[1:11] + entry[14:26] + entry[28:32]).decode("utf-16-le")
                long = part + long
                continue
            short = f"{entry[:8].decode().rstrip()}.{entry[8:11].decode().rstrip()}".rstrip(".")
            if name in {long.split("\0")[0].rstrip("\uffff"), short}:
                return struct.unpack_from("<HI", entry, 26)
            long = ""
        raise AssertionError(f"{name} is not there")

    folder = image[root_at:data_at]
    *folders, name = path.split("/")
    for part in folders:
        folder = chain(find(folder, part)[0])
    first, size_bytes = find(folder, name)
    return chain(first)[:size_bytes]


def test_every_variant_is_accepted() -> None:
    for family in Family:
        for changes in VARIANTS.values():
            assert spec(family, **changes).fqdn == "web-1.customer.example.com"
