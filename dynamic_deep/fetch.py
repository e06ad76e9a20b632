# SPDX-License-Identifier: Apache-2.0
"""Public data sets from PhysioNet, each checked against the sums that it publishes.

The layout is flat: `mitdb/100.hea`, `cinc2017/A00001.mat`, `cinc2017/REFERENCE-v3.csv`.
What is there and has the right sum is not fetched again, so a broken download goes on
where it stopped. The bytes come through wfdb's own URL reader, which tries again and
asks for large files piece by piece.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dynamic_deep.errors import ConfigError, CorruptError, DynamicDeepError
from dynamic_deep.recording import PendingFile
from dynamic_deep.recording.wfdb_layout import import_wfdb

Progress = Callable[[str, int, int], None]  # what, done, total (files, or bytes of one)

SUMS_NAME = "SHA256SUMS.txt"

_PIECE_BYTES = 1 << 20
_SUM_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet:
    """Where a data set lies on PhysioNet and which of its files are wanted.

    Attributes:
        project: Name and version.
        wanted: Pattern of the wanted paths in it.
        archive: A zip file that holds `members` and saves a request for each.
        members: Pattern of the base names wanted from the archive.
    """

    project: str
    wanted: re.Pattern[str]
    archive: str | None = None
    members: re.Pattern[str] | None = None


DATA_SETS = {
    "mitdb": DataSet(
        project="mitdb/1.0.0", wanted=re.compile(r"\d{3}\.(atr|dat|hea)|RECORDS")
    ),
    "cinc2017": DataSet(
        project="challenge-2017/1.0.0",
        wanted=re.compile(r"training/(.*/)?A\d{5}\.(mat|hea)|REFERENCE-v3\.csv"),
        archive="training2017.zip",
        members=re.compile(r"A\d{5}\.(mat|hea)"),
    ),
}


def fetch(
    name: str, dest: str | os.PathLike[str], *, progress: Progress | None = None
) -> Path:
    """Download a data set, or what is missing of it.

    Args:
        name: A key of `DATA_SETS`.
        dest: Folder in which the folder `name` is made.
        progress: Called with what is being fetched, how much is done and how much
            there is: files, or bytes inside an archive.

    Returns:
        The folder of the data set.

    Raises:
        ConfigError: If the name is unknown.
        CorruptError: If a file differs from its published sum.
        DynamicDeepError: If PhysioNet can't be reached.
    """
    if name not in DATA_SETS:
        raise ConfigError(
            f"A data set must be one of {', '.join(DATA_SETS)}, got {name!r}; choose "
            "one."
        )
    data_set, folder = DATA_SETS[name], Path(dest) / name
    folder.mkdir(parents=True, exist_ok=True)
    tell = progress or (lambda what, done, total: None)
    sums = _fetch_sums(data_set, folder)
    wanted = {path: digest for path, digest in sums.items() if _fits(data_set, path)}
    if data_set.archive in sums:
        _fetch_archive(data_set, sums[data_set.archive], folder, tell)
        wanted = {path: sums[path] for path in wanted if "/" not in path}
    for done, (path, digest) in enumerate(sorted(wanted.items())):
        tell(posixpath.basename(path), done, len(wanted))
        target = folder / posixpath.basename(path)
        if not _has_sum(target, digest):
            _download(f"{data_set.project}/{path}", target, digest, None)
    tell(name, len(wanted), len(wanted))
    _write_records(folder)
    return folder


def parse_sums(text: str) -> dict[str, str]:
    """Return path -> SHA-256 in lower case, from the text of a sums file.

    Raises:
        CorruptError: If it has no such line.

    Example:
        >>> parse_sums("A" * 64 + "  100.dat") == {"100.dat": "a" * 64}
        True
    """
    matches = [_SUM_LINE.fullmatch(line.strip()) for line in text.splitlines()]
    sums = {m.group(2).removeprefix("./"): m.group(1).lower() for m in matches if m}
    if not sums:
        raise CorruptError(
            f"A file of sums must have lines of SHA-256 and path, got {text[:60]!r}; "
            "try again later."
        )
    return sums


def _fits(data_set: DataSet, path: str) -> bool:
    return bool(data_set.wanted.fullmatch(path))


def _fetch_sums(data_set: DataSet, folder: Path) -> dict[str, str]:
    target = folder / SUMS_NAME
    _download(f"{data_set.project}/{SUMS_NAME}", target, None, None)
    return parse_sums(target.read_text(encoding="utf-8", errors="replace"))


def _fetch_archive(
    data_set: DataSet, digest: str, folder: Path, tell: Progress
) -> None:
    """Fetch and unpack the archive; a note of its sum says that this is done."""
    note = folder / f".{data_set.archive}.sha256"
    if note.is_file() and note.read_text(encoding="ascii").strip() == digest:
        return
    target = folder / str(data_set.archive)
    if not _has_sum(target, digest):
        _download(f"{data_set.project}/{data_set.archive}", target, digest, tell)
    with zipfile.ZipFile(target) as archive:
        entries = [
            entry
            for entry in archive.infolist()
            if data_set.members
            and data_set.members.fullmatch(posixpath.basename(entry.filename))
        ]
        for done, entry in enumerate(entries):
            tell(f"unpack {data_set.archive}", done, len(entries))
            # The base name matched a pattern without any separator.
            member = folder / posixpath.basename(entry.filename)
            with archive.open(entry) as source:
                _save(_pieces_of(source), member, None)
    note.write_text(digest + "\n", encoding="ascii")
    target.unlink()


def _download(
    path: str, target: Path, digest: str | None, tell: Progress | None
) -> None:
    download = _wfdb_download()
    url = posixpath.join(download.config.db_index_url, path)
    try:
        with download._url.openurl(url, "rb") as source:
            total = source.seek(0, os.SEEK_END) if tell else 0
            source.seek(0)
            _save(_counted(source, target.name, total, tell), target, digest)
    except (OSError, ValueError) as error:
        if isinstance(error, DynamicDeepError) or getattr(error, "errno", None) == 28:
            raise
        raise DynamicDeepError(
            f"A download needs PhysioNet, got {str(error)[:200]!r} for {url}; check "
            "the connection and run the command again, it goes on where it stopped."
        ) from error


def _counted(
    source: BinaryIO, name: str, total: int, tell: Progress | None
) -> Iterator[bytes]:
    done = 0
    for piece in _pieces_of(source):
        yield piece
        done += len(piece)
        if tell:
            tell(name, done, total)


def _pieces_of(source: Any) -> Iterator[bytes]:
    while piece := source.read(_PIECE_BYTES):
        yield piece


def _save(pieces: Iterator[bytes], target: Path, digest: str | None) -> None:
    """Write the pieces beside the target; keep them if their sum is right."""
    sha = hashlib.sha256()
    pending = PendingFile(target)
    try:
        for piece in pieces:
            sha.update(piece)
            pending.stream.write(piece)
        if digest is not None and sha.hexdigest() != digest:
            raise CorruptError(
                f"A download must have its published sum {digest}, got "
                f"{sha.hexdigest()} for {target.name}; run the command again."
            )
        pending.commit(sync=digest is not None)
    finally:
        pending.discard()


def _has_sum(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == digest


def _write_records(folder: Path) -> None:
    """List the records, as every WFDB data set does."""
    names = sorted(path.stem for path in folder.glob("*.hea"))
    (folder / "RECORDS").write_text("".join(f"{n}\n" for n in names), encoding="ascii")


def _wfdb_download() -> Any:
    import_wfdb()
    from wfdb.io import download

    return download
