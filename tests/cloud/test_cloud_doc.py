# SPDX-License-Identifier: Apache-2.0
"""What docs/cloud.md says can be checked without an account, and is."""

from __future__ import annotations

import getpass
import json
import re
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from device_sim.brokers import Mosquitto, find_mosquitto
from dynamic_deep.cli.parser import build_parser
from dynamic_deep.cloud.ingest_status import metrics_text
from dynamic_deep.cloud.objects import ObjectName
from dynamic_deep.uplink.transport import BrokerAddress
from tests.cloud.ward_net import IngestThread, wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docs/cloud.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```\w*\n(.*?)^ *```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = "\n".join(BLOCKS).replace("\\\n", " ").splitlines()
    found = [line.strip().removeprefix("ExecStart=/opt/ecg/bin/") for line in lines]
    return [line for line in found if line.startswith("dynamic-deep ")]


@pytest.mark.parametrize("command", commands())
def test_commands_parse(command: str) -> None:
    words = shlex.split(command, comments=True)
    args = build_parser().parse_args(words[1:])
    assert args.module.startswith("dynamic_deep.cli.cloud_")


def test_there_are_commands() -> None:
    assert len(commands()) >= 7


def test_names_of_objects_are_what_ingest_writes() -> None:
    names = [line for block in BLOCKS for line in block.splitlines()]
    names = [line for line in names if line.startswith("devices/")]
    assert len(names) == 2
    for name in names:
        assert str(ObjectName.parse(name)) == name


def test_lifecycle_rules_are_those_of_the_library() -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    (text,) = re.findall(r"<!-- lifecycle.json -->\n```json\n(.*?)```", TEXT, re.DOTALL)
    client = storage.Client(project="ward", credentials=AnonymousCredentials())
    bucket = client.bucket("ward-ecg")
    below = {"matches_prefix": ["devices/"]}
    bucket.add_lifecycle_set_storage_class_rule("NEARLINE", age=30, **below)
    bucket.add_lifecycle_set_storage_class_rule("ARCHIVE", age=365, **below)
    bucket.add_lifecycle_delete_rule(age=3650, **below)
    written = [dict(rule) for rule in bucket.lifecycle_rules]
    assert json.loads(text)["rule"] == written


def test_every_metric_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    nowhere = BrokerAddress(host="127.0.0.1", port=1, is_tls=False)
    ingest = IngestThread(tmp_path, nowhere, str(tmp_path / "store"))
    told = set(
        re.findall(r"^dynamic_deep_ingest_(\w+)", metrics_text(ingest.ingest), re.M)
    )
    assert ingest.ingest.problems() == ["no connection to the broker"]
    ingest.finish()
    rows = re.findall(r"^\| (`.*?`) \| (?:counter|gauge) \|", TEXT, re.MULTILINE)
    named = {n for row in rows for n in re.findall(r"`(\w+)", row)}
    assert named == told


def test_mosquitto_starts_with_these_settings(tmp_path: Path) -> None:
    program = find_mosquitto()
    if program is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    broker = Mosquitto(tmp_path, {"ingest": "receive"})  # for its files
    (block,) = (block for block in BLOCKS if block.startswith("listener 8883"))
    own = (tmp_path / "mosquitto.conf").read_text()
    files = dict(re.findall(r"^(\w+file|\w+_file) (.*)$", own, re.MULTILINE))
    lines = [f"user {getpass.getuser()}", f"persistence_location {tmp_path}/"]
    for line in block.replace("8883", f"{broker.address.port} 127.0.0.1").splitlines():
        name = line.split()[0]
        lines.append(f"{name} {files[name]}" if name in files else line)
    (tmp_path / "doc.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [program, "-c", str(tmp_path / "doc.conf")], stderr=subprocess.PIPE
    )
    try:
        wait_for(lambda: process.poll() is not None or _answers(broker), "mosquitto")
        assert process.poll() is None, process.communicate()[1].decode()
    finally:
        process.kill()
        process.communicate()


def _answers(broker: Mosquitto) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", broker.address.port)) == 0
