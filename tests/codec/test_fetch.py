# SPDX-License-Identifier: Apache-2.0
"""Downloads, from a copy of PhysioNet's layout on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import threading
import warnings
import zipfile

import pytest

from dynamic_deep import fetch as fetch_module
from dynamic_deep.errors import ConfigError, CorruptError, DynamicDeepError
from dynamic_deep.fetch import DATA_SETS, SUMS_NAME, fetch, parse_sums

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from wfdb.io import download

MITDB = {name: name.encode() * 50 for name in ("100.hea", "100.dat", "100.atr")}
CINC = {
    "training/A00/A00001.hea": b"A00001 1 300 9000",
    "training/A00/A00001.mat": b"\x01\x02",
    "REFERENCE-v3.csv": b"A00001,N\n",
}
UNWANTED = {"validation/A00001.hea": b"other", "mitdbdir/intro.htm": b"x"}


def publish(root, project, files):
    sums = ""
    for path, content in files.items():
        target = root / project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        sums += f"{hashlib.sha256(content).hexdigest()}  {path}\n"
    (root / project / SUMS_NAME).write_text(sums)


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, content in CINC.items():
            if path.startswith("training"):
                archive.writestr(f"training2017/{path[-10:]}", content)
        archive.writestr("training2017/REFERENCE.csv", "old labels")
        archive.writestr("../A00009.hea/../evil.hea", "never unpacked")
    return stream.getvalue()


@pytest.fixture
def site(tmp_path, monkeypatch):
    root = tmp_path / "site"
    publish(root, DATA_SETS["mitdb"].project, {**MITDB, **UNWANTED})
    publish(root, DATA_SETS["cinc2017"].project, {**CINC, **UNWANTED})
    monkeypatch.setattr(download.config, "db_index_url", f"file://{root}/")
    return root


def names_in(folder):
    return {p.name for p in folder.iterdir() if not p.name.startswith(".")}


def test_mitdb_is_laid_out_flat_and_checked(site, tmp_path):
    calls = []
    folder = fetch("mitdb", tmp_path / "data", progress=lambda *c: calls.append(c))
    assert folder == tmp_path / "data" / "mitdb"
    assert names_in(folder) == {*MITDB, SUMS_NAME, "RECORDS"}
    assert (folder / "100.dat").read_bytes() == MITDB["100.dat"]
    assert (folder / "RECORDS").read_text() == "100\n"
    assert calls[0] == ("100.atr", 0, 3)
    assert calls[-1] == ("mitdb", 3, 3)


def test_cinc2017_file_by_file(site, tmp_path):
    folder = fetch("cinc2017", tmp_path / "data")
    wanted = {"A00001.hea", "A00001.mat", "REFERENCE-v3.csv", "RECORDS", SUMS_NAME}
    assert names_in(folder) == wanted
    assert (folder / "A00001.hea").read_bytes() == CINC["training/A00/A00001.hea"]


def test_cinc2017_by_its_archive(site, tmp_path):
    project = DATA_SETS["cinc2017"].project
    publish(site, project, {**CINC, **UNWANTED, "training2017.zip": zipped()})
    folder = fetch("cinc2017", tmp_path / "data")
    wanted = {"A00001.hea", "A00001.mat", "REFERENCE-v3.csv", "RECORDS", SUMS_NAME}
    assert names_in(folder) == wanted
    assert (folder / "A00001.mat").read_bytes() == CINC["training/A00/A00001.mat"]
    (site / project / "training2017.zip").unlink()
    fetch("cinc2017", tmp_path / "data")  # unpacked already: not asked for again


def test_only_what_is_missing_or_wrong_is_fetched_again(site, tmp_path, monkeypatch):
    folder = fetch("mitdb", tmp_path)
    (folder / "100.hea").write_bytes(b"damaged")
    (folder / "100.dat").unlink()
    fetched = []
    original = fetch_module._download
    monkeypatch.setattr(
        fetch_module,
        "_download",
        lambda path, *rest: (fetched.append(path), original(path, *rest)),
    )
    fetch("mitdb", tmp_path)
    base = [path.rsplit("/", 1)[1] for path in fetched]
    assert base == [SUMS_NAME, "100.dat", "100.hea"]
    assert (folder / "100.hea").read_bytes() == MITDB["100.hea"]


def test_a_wrong_sum_stops_and_leaves_nothing(site, tmp_path):
    (site / DATA_SETS["mitdb"].project / "100.dat").write_bytes(b"tampered")
    with pytest.raises(CorruptError, match=r"published sum .* for 100\.dat"):
        fetch("mitdb", tmp_path / "data")
    left = {p.name for p in (tmp_path / "data" / "mitdb").iterdir()}
    assert left == {SUMS_NAME, "100.atr"}


def test_no_connection_is_one_clear_error(tmp_path, monkeypatch):
    missing = f"file://{tmp_path}/nowhere/"
    monkeypatch.setattr(download.config, "db_index_url", missing)
    with pytest.raises(DynamicDeepError, match="check the connection"):
        fetch("mitdb", tmp_path / "data")


def test_unknown_names_are_listed(tmp_path):
    with pytest.raises(ConfigError, match="mitdb, cinc2017"):
        fetch("ptbxl", tmp_path)


@pytest.mark.parametrize("text", ["", "<html>busy</html>", "abc  100.dat\n"])
def test_a_page_in_place_of_sums_is_refused(text):
    with pytest.raises(CorruptError, match="SHA-256 and path"):
        parse_sums(text)


def test_over_http(site, tmp_path, monkeypatch):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setattr(download.config, "db_index_url", url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "127.0.0.1")
        try:
            folder = fetch("mitdb", tmp_path / "data")
        finally:
            server.shutdown()
            thread.join()
    assert (folder / "100.dat").read_bytes() == MITDB["100.dat"]
