"""Where packages come from: the machine's own source of Debian, and no other."""

from pathlib import Path

import pytest

from infra.debian import DebianError, source

DEB822 = """\
Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def etc(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        place = folder / "sources.list" if name == "sources" else folder / "sources.list.d" / name.replace("__", ".")
        place.write_text(text)
    return folder


def test_a_deb822_source_keeps_its_mirror_and_key(tmp_path: Path) -> None:
    assert source(etc(tmp_path, debian__sources=DEB822), "trixie") == (
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_a_one_line_source_is_read(tmp_path: Path) -> None:
    lines = "# deb http://old.test/debian bookworm main\ndeb [arch=amd64] http://mirror.test/debian bookworm main\n"
    assert "URIs: http://mirror.test/debian\n" in source(etc(tmp_path, sources=lines), "trixie")


def test_another_vendors_source_is_passed_over(tmp_path: Path) -> None:
    vendor = "deb http://vendor.test/apt cloud-sdk-bookworm main\n"
    with pytest.raises(DebianError, match="no Debian source"):
        source(etc(tmp_path, vendor__list=vendor), "trixie")
