"""A package: whatever is changed in it is named, and who made it is proved."""

import ast
import base64
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.spans import Span
from orchestrator.certificates.records import Kept
from orchestrator.certificates.verifying import check, parse
from orchestrator.evidence import verifier
from orchestrator.evidence.verifier import (
    CHANGED,
    GENUINE,
    UNPROVED,
    Entry,
    Report,
    Unreadable,
    directory,
    local_header,
    verify,
)
from tests.fakes.certified import START, chain, facts, gap, issued, known
from tests.fakes.packages import WISH, Keys, make_package, recorded
from tests.guard.sealed_guard import by_hand

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Made:
    """A package that was made once for all tests here."""

    folder: Path
    keys: Keys
    path: Path
    data: bytes

    @property
    def key(self) -> bytes:
        return self.keys.evidence.public

    def with_bytes(self, data: bytes | bytearray) -> Path:
        """Write another package."""
        path = self.folder / "other.zip"
        path.write_bytes(data)
        return path

    def entry_at(self, offset: int) -> tuple[str, int]:
        """Give in which file of the package a byte is, and where there."""
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                begin = info.header_offset + 30 + len(info.filename.encode()) + 20
                if begin <= offset < begin + info.file_size:
                    return info.filename, offset - begin
        return "(zip)", offset


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("evidence")
    keys = Keys.make()
    path = folder / "evidence.zip"
    make_package(path, folder, keys, recorded(folder))
    yield Made(folder, keys, path, path.read_bytes())
    with by_hand():
        shutil.rmtree(folder)


def named(report: Report) -> list[str]:
    return [finding.file for finding in report.findings]


def test_a_whole_package_is_genuine_with_the_key_and_unproved_without(made: Made) -> None:
    assert verify(str(made.path), made.key).code == GENUINE
    report = verify(str(made.path))
    assert (report.code, report.findings) == (UNPROVED, [])
    assert report.kid == made.keys.evidence.kid


def test_another_key_does_not_vouch_for_it(made: Made) -> None:
    report = verify(str(made.path), made.keys.box.public)
    assert report.code == CHANGED
    assert named(report) == ["signature.json"]


PLACES = st.integers(0, (1 << 30) - 1)
"""Where in a package, in parts of 2³⁰ of it: keys differ in each run, and with them its length."""
CHANGES = st.integers(1, 255)


@settings(max_examples=50, deadline=None)
@given(PLACES, CHANGES)
def test_any_changed_byte_is_named(made: Made, place: int, change: int) -> None:
    offset = place * len(made.data) >> 30
    changed = bytearray(made.data)
    changed[offset] ^= change
    name, inside = made.entry_at(offset)
    report = verify(str(made.with_bytes(changed)), made.key)
    assert report.code == CHANGED
    (finding,) = report.findings
    assert finding.file == name
    if name != "signature.json":
        assert finding.offset == inside


@settings(max_examples=30, deadline=None)
@given(PLACES, CHANGES)
def test_every_byte_of_signature_manifest_and_directory_counts(
    made: Made, place: int, change: int
) -> None:
    with zipfile.ZipFile(made.path) as archive:
        begin = archive.getinfo("proof/blocks.bin").header_offset
    offset = begin + (place * (len(made.data) - begin) >> 30)
    changed = bytearray(made.data)
    changed[offset] ^= change
    report = verify(str(made.with_bytes(changed)), made.key)
    assert report.code == CHANGED
    assert named(report) == [made.entry_at(offset)[0]]


def test_a_longer_change_is_named_by_its_block(made: Made) -> None:
    with zipfile.ZipFile(made.path) as archive:
        info = archive.getinfo("footage/cam-1/20261124T080000000.mp4")
        begin = info.header_offset + 30 + len(info.filename) + 20
    changed = bytearray(made.data)
    changed[begin + 5000 : begin + 5040] = bytes(40)
    (finding,) = verify(str(made.with_bytes(changed)), made.key).findings
    assert (finding.file, finding.offset) == (info.filename, 4096)


def rebuilt(made: Made, names: list[str], more: dict[str, bytes] | None = None) -> Path:
    """Write a package of these files, sound as a zip."""
    parts, entries = [], []
    with zipfile.ZipFile(made.path) as archive:
        for name in names:
            content = (more or {}).get(name) or archive.read(name)
            entry = Entry(name, len(content), crc32(content))
            entries.append(entry)
            parts += [local_header(entry), content]
    return made.with_bytes(b"".join([*parts, directory(entries)]))


def names_in(made: Made) -> list[str]:
    with zipfile.ZipFile(made.path) as archive:
        return archive.namelist()


def test_an_extra_file_is_named(made: Made) -> None:
    names = names_in(made)
    path = rebuilt(made, [*names[:2], "notes.txt", *names[2:]], {"notes.txt": b"hello"})
    report = verify(str(path), made.key)
    assert report.code == CHANGED
    assert named(report) == ["notes.txt"]


@pytest.mark.parametrize("number", range(6))
def test_a_missing_file_is_named(made: Made, number: int) -> None:
    names = names_in(made)
    missing = names.pop(number)
    report = verify(str(rebuilt(made, names)), made.key)
    assert report.code == CHANGED
    assert missing in named(report)


def test_files_in_another_order_are_noticed(made: Made) -> None:
    names = names_in(made)
    names[3], names[4] = names[4], names[3]
    report = verify(str(rebuilt(made, names)), made.key)
    assert report.code == CHANGED
    assert named(report) == [names[3]]


def test_what_is_appended_is_noticed(made: Made) -> None:
    after = verify(str(made.with_bytes(made.data + b"x")), made.key)
    assert [(one.file, one.offset) for one in after.findings] == [("(zip)", len(made.data))]


def test_a_package_with_something_before_it_is_none(made: Made) -> None:
    with pytest.raises(Unreadable):
        verify(str(made.with_bytes(b"x" + made.data)), made.key)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_a_package_that_was_cut_short_is_changed_or_unreadable_never_intact(
    made: Made, share: float
) -> None:
    path = made.with_bytes(made.data[: int(share * len(made.data))])
    try:
        report = verify(str(path), made.key)
    except Unreadable:
        return
    assert report.code == CHANGED
    assert report.findings


@pytest.mark.parametrize("content", [b"", b"PK", b"not a package" * 100, bytes(5000)])
def test_what_is_no_package_is_unreadable(made: Made, content: bytes) -> None:
    with pytest.raises(Unreadable):
        verify(str(made.with_bytes(content)))


def test_a_package_signed_anew_by_somebody_else_is_found_out_by_the_key(made: Made) -> None:
    other = Keys(made.keys.box, made.keys.identity, Keys.make().evidence)
    path = made.folder / "resigned.zip"
    make_package(path, made.folder, other, recorded(made.folder / "again"))
    assert verify(str(path)).code == UNPROVED
    assert verify(str(path), made.key).code == CHANGED


def test_footage_that_its_box_did_not_sign_is_found_though_the_centre_signed_it(
    made: Made, tmp_path: Path
) -> None:
    path = tmp_path / "p.zip"
    make_package(path, tmp_path, made.keys, recorded(tmp_path), signer=Keys.make().box)
    report = verify(str(path), made.key)
    assert report.code == CHANGED
    assert named(report)[0] == "footage/cam-1/20261124T080000000.mp4"
    assert "did not sign" in report.findings[0].what


def test_a_segment_that_is_left_out_in_the_middle_is_remarked(made: Made, tmp_path: Path) -> None:
    first, second = recorded(tmp_path)
    unlinked = msgspec.structs.replace(second, previous="00" * 32)
    path = tmp_path / "p.zip"
    make_package(path, tmp_path, made.keys, [first, unlinked])
    report = verify(str(path), made.key)
    assert report.code == GENUINE
    chain, viewing = report.notes
    assert chain == (
        "footage/cam-1/20261124T080005000.mp4: a segment before it is not in this package"
    )
    assert "no viewing copy of 教一 101 (cam-1)" in viewing


# ---------------------------------------------------------------- alone


def run_alone(made: Made, package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier out of the package, with nothing but the standard library."""
    with zipfile.ZipFile(made.path) as archive:
        archive.extract("verify.py", made.folder)
    program = str(made.folder / "verify.py")
    return subprocess.run(
        [sys.executable, "-I", "-S", program, str(package), *arguments],
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8"},
    )


def certificate(session: str = "s1") -> Kept:
    """A kept certificate: one camera was recorded but for a minute."""
    some = chain("cam-1", (0, 3000), (3060, 9900))
    document = issued(facts(known("cam-1", some, [gap("cam-1", 3000, 3060, "refused")])))
    return Kept(session, 1, START, document)


def certified(folder: Path, *kept: Kept) -> tuple[Path, bytes]:
    """A package with these certificates, and the key it is signed with."""
    keys, path = Keys.make(), folder / "certified.zip"
    make_package(path, folder, keys, recorded(folder), certificates=kept)
    return path, keys.evidence.public


def test_a_certificate_in_the_package_is_checked_with_the_boxes_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, key = certified(tmp_path, certificate())
    assert verifier.check(str(path), key.hex()) == GENUINE
    assert "覆盖证书: s1 #1 INCOMPLETE / 不完整" in capsys.readouterr().out
    with zipfile.ZipFile(path) as archive:
        inside = parse(archive.read("certificates/s1.json"))
    assert check(inside, {}).certificate.content.verdict == "INCOMPLETE"


@pytest.mark.parametrize("forged", ["the verdict", "the centre's signature", "a box's word"])
def test_a_certificate_that_was_forged_before_the_package_was_signed_is_named(
    tmp_path: Path, forged: str
) -> None:
    kept = certificate()
    document = kept.document
    if forged == "the verdict":
        body = document.certificate.body.replace("INCOMPLETE", "VERIFIED")
        changed = msgspec.structs.replace(document.certificate, body=body)
    else:
        changed = msgspec.structs.replace(document.certificate, sig=Keys.make().box.kid * 4)
    if forged == "a box's word":
        (word,) = document.statements
        fact = word.fact.replace('"recorded_us":', '"recorded_us":1')
        words = (msgspec.structs.replace(word, fact=fact),)
        document = msgspec.structs.replace(document, statements=words)
    else:
        document = msgspec.structs.replace(document, certificate=changed)
    path, key = certified(tmp_path, replace(kept, document=document))
    report = verify(str(path), key)
    assert (report.code, named(report)) == (CHANGED, ["certificates/s1.json"])


def test_a_certificate_of_another_session_than_named_is_found(tmp_path: Path) -> None:
    path, key = certified(tmp_path, certificate("s2"))
    report = verify(str(path), key)
    assert named(report) == ["certificates/s2.json"]
    assert "another certificate" in report.findings[0].what


def test_what_was_not_recorded_is_said_by_readme_and_verifier(made: Made, tmp_path: Path) -> None:
    hole = Span(WISH.span.start + timedelta(seconds=1), WISH.span.start + timedelta(seconds=3))
    told = recorded(tmp_path)
    place = tmp_path / "holed.zip"
    make_package(place, tmp_path, made.keys, told, missing=[("cam-1", hole)])
    since, until = (f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" for at in (hole.start, hole.end))
    notes = " ".join(verify(str(place), made.key).notes)
    assert f"教一 101 (cam-1) {since} 至 {until} 无录像" in notes
    with zipfile.ZipFile(place) as package:
        assert (
            f"缺失：教一 101 (cam-1) {since} – {until}" in package.read("README.zh-CN.txt").decode()
        )
    with zipfile.ZipFile(made.path) as package:
        assert "缺失：无" in package.read("README.zh-CN.txt").decode()


def test_both_readmes_name_room_and_the_schools_own_time_first(made: Made) -> None:
    local = [
        f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" for at in (WISH.span.start, WISH.span.end)
    ]
    with zipfile.ZipFile(made.path) as package:
        for name, between in (("README.zh-CN.txt", "至"), ("README.en.txt", "to")):
            text = package.read(name).decode()
            assert "教一 101 (cam-1)" in text
            assert f"{local[0]} {between} {local[1]}" in text
            assert f"UTC {WISH.span.start:%Y-%m-%d %H:%M:%S}" in text


def test_the_verifier_in_the_package_needs_nothing_but_python(made: Made) -> None:
    key = base64.b64encode(made.key).decode()
    good = run_alone(made, made.path, "--key", key)
    assert (good.returncode, good.stderr) == (0, "")
    assert "附2-2026-0007" in good.stdout
    assert "摄像机: 教一 101 (cam-1)" in good.stdout
    local = [
        f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" for at in (WISH.span.start, WISH.span.end)
    ]
    assert f"时段: {local[0]} – {local[1]} (Asia/Shanghai; " in good.stdout
    assert run_alone(made, made.path).returncode == 3
    changed = bytearray(made.data)
    changed[1000] ^= 1
    bad = run_alone(made, made.with_bytes(changed), "--key", key)
    assert bad.returncode == 1
    name, inside = made.entry_at(1000)
    assert f"{name} at offset {inside}" in bad.stderr
    assert run_alone(made, made.with_bytes(b"nonsense")).returncode == 2
    assert run_alone(made, made.path, "--key", "nonsense").returncode == 2
    assert run_alone(made, made.folder / "none.zip").returncode == 2
    unpacked = run_alone(made, made.folder)
    assert unpacked.returncode == 2
    assert "不必解压" in unpacked.stderr


def test_the_verifier_is_written_for_python_3_8_and_imports_the_standard_library_alone() -> None:
    source = Path(verifier.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


@given(
    st.lists(
        st.builds(
            Entry,
            st.sampled_from(["a", "名/b.mp4"]),
            st.integers(0, 2**34),
            st.integers(0, 2**32 - 1),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_directory_of_large_packages_is_read_as_it_was_written(entries: list[Entry]) -> None:
    size = sum(len(local_header(entry)) + entry.size for entry in entries)
    tail = directory(entries)
    found = verifier._by_directory(_Sparse(size, tail), size + len(tail))  # type: ignore[arg-type]
    assert [(place.name, place.size) for place in found] == [(e.name, e.size) for e in entries]


class _Sparse:
    """A file of which only the end is there."""

    def __init__(self, size: int, tail: bytes) -> None:
        self._size, self._tail, self._at = size, tail, 0

    def seek(self, at: int) -> None:
        self._at = at

    def read(self, count: int) -> bytes:
        begin = self._at - self._size
        return self._tail[begin : begin + count]
