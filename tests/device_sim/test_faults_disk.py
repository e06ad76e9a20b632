# SPDX-License-Identifier: Apache-2.0
"""The disk is full: a device stops and says so, a receiver acknowledges nothing."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_sim.outbox import Outbox
from dynamic_deep.cloud.inbox import Inbox, InboxError, Verdict
from dynamic_deep.container import ContainerWriter
from dynamic_deep.uplink.ack import Ack
from dynamic_deep.uplink.keys import KeyRing, write_key_file
from dynamic_deep.uplink.session import MessageSink
from tests.device_sim.crash import KillSwitch, survives
from tests.device_sim.receiver import files
from tests.helpers import make_frames, make_header, n_samples_of
from tests.uplink.traffic import KEYS, send_session, write_file

DEVICE = KEYS.device
FRAMES = make_frames(600, max_len=2000)
MAX_FILE_LEN = 300_000


def limit_files() -> None:
    """Let no file of this process grow beyond the limit, as a full disk would."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_LEN, hard))


def lift_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def encode_on_a_full_disk(folder: Path) -> list[bytes]:
    """Encode all frames; deliver only when there is no more room."""
    n_stops = 0
    sent: list[bytes] = []
    with Outbox(folder / "outbox.db") as outbox:
        outbox.boot([DEVICE])
        sink = MessageSink(outbox.begin(KEYS), outbox.put, n_frames=4)
        writer = ContainerWriter(sink.stream, make_header())

        def make_room() -> None:
            assert outbox.trouble, "it says why"
            waiting = outbox.pending(DEVICE, limit=9999)
            assert waiting, "what was stored is still there to be sent"
            sent.extend(stored.data for stored in waiting)
            last = waiting[-1]
            outbox.acknowledge(
                Ack(device=DEVICE, key_id=1, session=last.session, number=last.number)
            )
            outbox.commit()
            assert sink.retry(), "what was delivered has made room"
            assert outbox.commit()
            assert not outbox.trouble

        for frame in FRAMES:
            writer.write_frame(frame)
            if sink.is_blocked:
                n_stops += 1
                make_room()
        writer.close(n_samples_of(len(FRAMES), make_header()))
        if sink.is_blocked or not outbox.commit():
            make_room()
        sent.extend(stored.data for stored in outbox.pending(DEVICE, limit=9999))
    assert n_stops >= 2
    return sent


def check_delivered(tmp_path: Path, payloads: list[bytes]) -> None:
    write_key_file(tmp_path, KEYS)
    with Inbox(tmp_path / "inbox.db", KeyRing(tmp_path)) as inbox:
        outcomes = inbox.accept_many([(DEVICE, payload) for payload in payloads])
        assert {o.verdict for o in outcomes} <= {Verdict.ACCEPTED, Verdict.DUPLICATE}
        assert files(inbox, DEVICE) == [write_file(FRAMES, make_header(), len(FRAMES))]


def test_a_device_stops_and_goes_on_without_a_loss(tmp_path: Path) -> None:
    def work(_: KillSwitch) -> None:
        limit_files()
        sent = encode_on_a_full_disk(tmp_path)
        lift_limit()
        check_delivered(tmp_path, sent)

    assert survives(work, None)


def test_a_receiver_takes_nothing_and_goes_on_later(tmp_path: Path) -> None:
    write_key_file(tmp_path, KEYS)
    sent = send_session(200, max_len=2000)

    def work(_: KillSwitch) -> None:
        limit_files()
        n_taken, is_full = 0, False
        with Inbox(tmp_path / "inbox.db", KeyRing(tmp_path)) as inbox:
            for payload in sent.payloads:
                try:
                    outcomes = inbox.accept_many([(DEVICE, payload)])
                except InboxError:
                    is_full = True
                    continue
                assert inbox.acks(outcomes)
                n_taken += 1
        assert is_full
        assert n_taken > 3
        (tmp_path / "taken").write_text(str(n_taken))

    assert survives(work, None)
    n_taken = int((tmp_path / "taken").read_text())
    with Inbox(tmp_path / "inbox.db", KeyRing(tmp_path)) as inbox:
        outcomes = inbox.accept_many([(DEVICE, payload) for payload in sent.payloads])
        verdicts = [outcome.verdict for outcome in outcomes]
        assert verdicts.count(Verdict.DUPLICATE) == n_taken
        assert verdicts.count(Verdict.QUARANTINED) == 0
        assert files(inbox, DEVICE) == [sent.file]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_device_starts_on_a_full_disk(small_disk: Path) -> None:
    for n_boots in range(1, 4):
        with Outbox(small_disk / "outbox.db") as outbox:
            outbox.boot([DEVICE])
            assert outbox.state(DEVICE).boot == n_boots
            sink = MessageSink(outbox.begin(KEYS), outbox.put, n_frames=4)
            writer = ContainerWriter(sink.stream, make_header())
            frames = iter(FRAMES)
            while not sink.is_blocked:
                writer.write_frame(next(frames))
        fill(small_disk / "others")


def fill(path: Path) -> None:
    """Leave no byte free, as another program may."""
    with path.open("ab", buffering=0) as stream:
        try:
            while stream.write(bytes(1024)):
                pass
        except OSError:
            return


def test_a_device_on_a_small_disk(small_disk: Path, tmp_path: Path) -> None:
    check_delivered(tmp_path, encode_on_a_full_disk(small_disk))
