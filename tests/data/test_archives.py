"""Unpacking a few files of an archive, of friendly ones and of others."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from course_lib.data import archives
from course_lib.data.archives import BadArchive, unpack
from tests.data.places import tar_of, write, zip_of

FILES = {
    "data/films/good.txt": b"good",
    "data/films/bad.txt": b"bad",
    "data/films/notes.md": b"notes",
    "data/films/old/good.txt": b"old",
    "data/tweets/good.txt": b"tweet",
    "setup.py": b"raise SystemExit",
}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def kept(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def unpack_all(archive: Path, inside: str, keep: tuple[str, ...], target: Path) -> dict[str, bytes]:
    unpack(archive, inside, keep, target)
    return kept(target)


@pytest.mark.parametrize("filename", ["some.zip", "some.whl", "some.tar.gz", "some.tgz"])
def test_matching_files_are_kept_with_their_paths_below_the_named_folder(
    tmp_path: Path, target: Path, filename: str
) -> None:
    content = zip_of(FILES) if filename[5] in "zw" else tar_of(FILES)
    archive = write(tmp_path, filename, content)
    assert unpack_all(archive, "data", ("*/good.txt", "films/*.md"), target) == {
        "films/good.txt": b"good",
        "tweets/good.txt": b"tweet",
        "films/notes.md": b"notes",
    }


def test_a_star_does_not_reach_into_folders_and_without_a_folder_paths_count_from_the_top(
    tmp_path: Path, target: Path
) -> None:
    archive = write(tmp_path, "some.zip", zip_of(FILES))
    assert unpack_all(archive, "", ("*",), target) == {"setup.py": b"raise SystemExit"}


def test_a_dot_before_the_paths_of_a_tar_file_makes_no_difference(tmp_path: Path, target: Path) -> None:
    archive = write(tmp_path, "some.tar.gz", tar_of({f"./{name}": content for name, content in FILES.items()}))
    assert unpack_all(archive, "data/films", ("good.txt",), target) == {"good.txt": b"good"}


@pytest.mark.parametrize(("outer", "inner"), [("a.tar.gz", "b.zip"), ("a.zip", "b.tar.gz"), ("a.whl", "b.tgz")])
def test_an_archive_inside_an_archive_is_opened_on_the_way(
    tmp_path: Path, target: Path, outer: str, inner: str
) -> None:
    def pack(filename: str, files: dict[str, bytes]) -> bytes:
        return tar_of(files) if filename.endswith("gz") else zip_of(files)

    innermost = pack("c.zip", {"deep/down.txt": b"found"})
    middle = pack(inner, {**FILES, "more/c.zip": innermost})
    archive = write(tmp_path, outer, pack(outer, {"papers/" + inner: middle}))
    assert unpack_all(archive, f"papers/{inner}/more/c.zip/deep", ("*.txt",), target) == {"down.txt": b"found"}
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([outer, "target"])


@pytest.mark.parametrize(
    ("inside", "keep", "lacking"),
    [
        ("data", ("films/good.txt", "films/none.txt"), "lacks data/films/none.txt"),
        ("daten", ("*.txt",), r"lacks daten/\*.txt"),
        ("data/inner.zip", ("*.txt",), "lacks data/inner.zip"),
        ("data/fil", ("ms/good.txt",), "lacks data/fil/ms/good.txt"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, target: Path, inside: str, keep: tuple[str, ...], lacking: str
) -> None:
    archive = write(tmp_path, "some.zip", zip_of(FILES))
    with pytest.raises(BadArchive, match=f"some.zip {lacking}$"):
        unpack(archive, inside, keep, target)


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/evil.txt", "..\\evil.txt", "C:\\evil.txt", "C:evil"]
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, target: Path, name: str, kind: str) -> None:
    files = {name: b"evil", "fine.txt": b""}
    archive = write(tmp_path, f"some.{kind}", zip_of(files) if kind == "zip" else tar_of(files))
    with pytest.raises(BadArchive, match="has a path that leaves its folder"):
        unpack(archive, "", ("*", "*/*", "*/*/*"), target)
    assert list(tmp_path.rglob("*evil*")) == []


def link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("link.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_file_is_refused(tmp_path: Path, target: Path, kind: bytes) -> None:
    archive = write(tmp_path, "some.tar.gz", tar_of({"fine.txt": b""}, link(kind)))
    with pytest.raises(BadArchive, match=r"link\.txt is a link or a device"):
        unpack(archive, "", ("*.txt",), target)
    assert not (target / "link.txt").exists()


def test_a_link_in_a_zip_file_is_refused(tmp_path: Path, target: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("link.txt")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadArchive, match=r"link\.txt is a link or a device"):
        unpack(write(tmp_path, "some.zip", packed.getvalue()), "", ("*.txt",), target)
    assert kept(target) == {}


def test_a_link_that_is_not_kept_does_no_harm(tmp_path: Path, target: Path) -> None:
    archive = write(tmp_path, "some.tar.gz", tar_of({"fine.md": b"fine"}, link(tarfile.SYMTYPE)))
    assert unpack_all(archive, "", ("*.md",), target) == {"fine.md": b"fine"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path, target: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("twice.txt", "one")
        archive.writestr("twice.txt", "two")
    with pytest.raises(BadArchive, match=r"twice\.txt is there twice"):
        unpack(write(tmp_path, "some.zip", packed.getvalue()), "", ("*",), target)


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.txt", bytes(10_000_000))
    return packed.getvalue()


def test_more_bytes_than_expected_are_not_written(tmp_path: Path, target: Path) -> None:
    with pytest.raises(BadArchive, match=r"large\.txt is larger than it should be"):
        unpack(write(tmp_path, "bomb.zip", bomb()), "", ("*",), target, largest=1_500_000)
    assert sum(map(len, kept(target).values())) <= 1_500_000


def test_all_files_together_may_not_be_larger_than_expected(tmp_path: Path, target: Path) -> None:
    archive = write(tmp_path, "some.zip", zip_of({"1.txt": b"12345", "2.txt": b"12345"}))
    unpack(archive, "", ("*",), target, largest=10)
    (target / "1.txt").unlink()
    (target / "2.txt").unlink()
    with pytest.raises(BadArchive, match=r"2\.txt is larger than it should be"):
        unpack(archive, "", ("*",), target, largest=9)


@pytest.mark.parametrize("inside", ["", "bomb.zip"])
def test_an_archive_that_unpacks_to_far_too_much_is_refused_at_any_depth(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.setattr(archives, "LARGEST_ARCHIVE", 5_000_000)
    content = zip_of({"bomb.zip": bomb()}) if inside else bomb()
    with pytest.raises(BadArchive, match=r"bomb.zip would unpack to more than"):
        unpack(write(tmp_path, "bomb.zip", content), inside, ("*",), target)


@pytest.mark.parametrize("filename", ["some.zip", "some.tar.gz", "some.tar", "some.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"nonsense" * 100, zip_of(FILES)[:200], tar_of(FILES)[:-30]])
def test_an_archive_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, target: Path, filename: str, content: bytes
) -> None:
    with pytest.raises(BadArchive, match=r"cannot be unpacked \(|lacks"):
        unpack(write(tmp_path, filename, content), "data", ("*/good.txt",), target)
