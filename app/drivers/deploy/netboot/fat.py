"""Writes a FAT12 file system: what UEFI firmware expects inside a bootable CD.

Small and exact instead of a dependency: a few files in one folder tree, 8.3 names
with long names where needed, nothing else. Source: Microsoft, FAT specification 1.03.
"""

import struct
from collections.abc import Mapping
from pathlib import PurePosixPath

SECTOR_BYTES = 512
CLUSTER_SECTORS = 4
CLUSTER_BYTES = SECTOR_BYTES * CLUSTER_SECTORS
ROOT_ENTRIES = 64
MOST_CLUSTERS = 4084
"""A reader takes 4,085 clusters or more for FAT16; so at most 8 MB of files."""
END = 0xFFF
_FOLDER, _FILE, _LONG = 0x10, 0x20, 0x0F


def fat_image(files: Mapping[str, bytes]) -> bytes:
    """Return the image with `files` (path → content), for example `EFI/BOOT/BOOTX64.EFI`.

    Raises ValueError above about 8 MB. Dates are left empty: the same in, the same out.
    """
    writer = _Writer()
    root = writer.folder(_tree(files), parent=None)
    return writer.image(root)


_Tree = dict[str, "bytes | _Tree"]


def _tree(files: Mapping[str, bytes]) -> _Tree:
    tree: _Tree = {}
    for path, content in files.items():
        *folders, name = PurePosixPath(path).parts
        here = tree
        for folder in folders:
            below = here.setdefault(folder, {})
            if isinstance(below, bytes):
                raise ValueError(f"{path}: {folder} is a file")  # noqa: TRY004 - a wrong value, not a wrong type
            here = below
        here[name] = content
    return tree


class _Writer:
    def __init__(self) -> None:
        self._fat: list[int] = [0xFF8, END]
        self._data: list[bytes] = []

    def folder(self, tree: _Tree, *, parent: int | None, own: int = 0) -> bytes:
        """Return the entries of a folder after its contents were written."""
        entries = b""
        if parent is not None:
            entries += _entry(b".          ", _FOLDER, own, 0)
            entries += _entry(b"..         ", _FOLDER, parent, 0)
        for order, (name, content) in enumerate(sorted(tree.items())):
            short = _short(name, order)
            if isinstance(content, bytes):
                first = self._store(content)
                entry = _entry(short, _FILE, first, len(content))
            else:
                first = self._reserve()
                below = self.folder(content, parent=own, own=first)
                if len(below) > CLUSTER_BYTES:
                    raise ValueError(f"{name} holds more files than one cluster names")
                self._data[first - 2] = below.ljust(CLUSTER_BYTES, b"\0")
                entry = _entry(short, _FOLDER, first, 0)
            entries += _long_name(name, short) + entry
        return entries

    def _reserve(self) -> int:
        self._fat.append(END)
        self._data.append(b"")
        return len(self._fat) - 1

    def _store(self, content: bytes) -> int:
        if not content:
            return 0
        first = len(self._fat)
        for start in range(0, len(content), CLUSTER_BYTES):
            self._data.append(content[start : start + CLUSTER_BYTES].ljust(CLUSTER_BYTES, b"\0"))
            self._fat.append(len(self._fat) + 1)
        self._fat[-1] = END
        return first

    def image(self, root: bytes) -> bytes:
        clusters = len(self._data)
        if clusters > MOST_CLUSTERS:
            raise ValueError(f"the files need {clusters * CLUSTER_BYTES} bytes; FAT12 holds 8 MB")
        root_bytes = ROOT_ENTRIES * 32
        if len(root) > root_bytes:
            raise ValueError("too many files at the root")
        fat = self._packed()
        fat_sectors = len(fat) // SECTOR_BYTES
        total = 1 + 2 * fat_sectors + root_bytes // SECTOR_BYTES + clusters * CLUSTER_SECTORS
        boot = _boot_sector(total, fat_sectors)
        return boot + fat + fat + root.ljust(root_bytes, b"\0") + b"".join(self._data)

    def _packed(self) -> bytes:
        """Two 12-bit entries to three bytes."""
        entries = self._fat + [0] * (len(self._fat) % 2)
        packed = b"".join(
            (low | high << 12).to_bytes(3, "little")
            for low, high in zip(entries[::2], entries[1::2], strict=True)
        )
        return packed.ljust(-(-len(packed) // SECTOR_BYTES) * SECTOR_BYTES, b"\0")


def _boot_sector(total_sectors: int, fat_sectors: int) -> bytes:
    small, large = (total_sectors, 0) if total_sectors < 0x10000 else (0, total_sectors)
    sector = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s",
        *(b"\xeb\x3c\x90", b"SLIPWAY ", SECTOR_BYTES, CLUSTER_SECTORS),
        *(1, 2, ROOT_ENTRIES, small, 0xF8, fat_sectors),  # reserved sectors, FATs, …, medium
        *(32, 2, 0, large),  # geometry, hidden sectors
        *(0x80, 0, 0x29, 0x534C5750, b"NO NAME    ", b"FAT12   "),  # drive, signature, serial
    )
    return sector.ljust(510, b"\0") + b"\x55\xaa"


def _entry(short: bytes, attributes: int, first: int, size_bytes: int) -> bytes:
    return struct.pack("<11sB10sHHHI", short, attributes, bytes(10), 0, 0x21, first, size_bytes)


def _short(name: str, order: int) -> bytes:
    """Return the 8.3 name; a name that does not fit gets a number that makes it unique."""
    stem, _, extension = name.upper().partition(".")
    if len(stem) > 8 or len(extension) > 3 or "." in extension:
        stem = f"{stem[:5]}~{order}"
        extension = extension[:3]
    return f"{stem:<8}{extension:<3}".encode("ascii")


def _long_name(name: str, short: bytes) -> bytes:
    plain = f"{short[:8].decode().rstrip()}.{short[8:].decode().rstrip()}".rstrip(".")
    if name == plain:
        return b""
    checksum = 0
    for byte in short:
        checksum = ((checksum & 1) << 7 | checksum >> 1) + byte & 0xFF
    units = (name + "\0").encode("utf-16-le")
    units = units[:-2] if len(name) % 13 == 0 else units
    pieces = [units[at : at + 26].ljust(26, b"\xff") for at in range(0, len(units), 26)]
    entries = [
        struct.pack(
            "<B10sBBB12sH4s",
            number | (0x40 if number == len(pieces) else 0),
            *(piece[:10], _LONG, 0, checksum, piece[10:22], 0, piece[22:]),
        )
        for number, piece in enumerate(pieces, 1)
    ]
    return b"".join(reversed(entries))
