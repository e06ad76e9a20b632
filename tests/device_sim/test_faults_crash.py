# SPDX-License-Identifier: Apache-2.0
"""Device and receiver killed before every single step on their databases.

The process is killed, not the machine: that a commit outlives the machine is left to
SQLite, with `synchronous = FULL`.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_sim.outbox import Outbox
from dynamic_deep.cloud.inbox import Inbox, Verdict
from dynamic_deep.container import ContainerReader, ContainerWriter, Frame
from dynamic_deep.uplink.ack import Ack, read_ack
from dynamic_deep.uplink.assembly import assemble
from dynamic_deep.uplink.keys import KeyRing, write_key_file
from dynamic_deep.uplink.message import SessionId, unpack
from dynamic_deep.uplink.sealed import SealedMessage
from dynamic_deep.uplink.session import MessageSink
from tests.device_sim.crash import KillSwitch, survives
from tests.helpers import make_frames, make_header, n_samples_of
from tests.uplink.traffic import KEYS, send_session, write_file

DEVICE = KEYS.device
HEADER = make_header()
WINDOW = 8960  # samples of a window at 300 Hz
SESSION_LEN = 5  # windows
FRAMES = make_frames(9, max_len=40)


@pytest.fixture
def fast_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory if there is one: a kill is no power cut, syncs only cost."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=parent, prefix="dynamic-deep-") as folder:
        yield Path(folder)


def note(path: Path, *fields: object) -> None:
    """Append a line in one call, so that it is there whole or not at all."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, (" ".join(map(str, fields)) + "\n").encode())
    os.close(handle)


def lines(path: Path) -> list[list[str]]:
    return (
        [line.split() for line in path.read_text().splitlines()]
        if path.exists()
        else []
    )


def run_device(folder: Path, switch: KillSwitch, group: int) -> None:
    """Encode what no stored message holds yet, then send all, until it is done."""
    with Outbox(folder / "outbox.db", group=group) as outbox:
        switch.arm(outbox._file._db)
        outbox.boot([DEVICE])

        def store(message: SealedMessage) -> bool:
            digest = hashlib.sha256(message.data).hexdigest()
            note(folder / "sealed", message.message.nonce.hex(), digest)
            switch.step()
            return outbox.put(message)

        state = outbox.state(DEVICE)
        done = state.mark + state.n_samples // WINDOW
        while done < len(FRAMES):
            frames = FRAMES[done : done + SESSION_LEN]
            sink = MessageSink(outbox.begin(KEYS, done), store, n_frames=2)
            writer = ContainerWriter(sink.stream, HEADER)
            for idx, frame in enumerate(frames):
                writer.write_frame(Frame(idx, 0, frame.level_id, frame.payload))
            writer.close(n_samples_of(len(frames), HEADER))
            done += len(frames)
        outbox.commit()
        while waiting := outbox.pending(DEVICE, limit=3):
            for stored in waiting:
                switch.step()
                note(folder / "sent", stored.data.hex())
            switch.step()
            last = waiting[-1]
            ack = Ack(device=DEVICE, key_id=1, session=last.session, number=last.number)
            outbox.acknowledge(ack)
            outbox.commit()
        switch.step()


def check_delivery(folder: Path) -> None:
    """Take in what was sent, and compare with what was to be sent."""
    write_key_file(folder, KEYS)
    sent = [bytes.fromhex(line[0]) for line in lines(folder / "sent")]
    with Inbox(folder / "inbox.db", KeyRing(folder)) as inbox:
        outcomes = inbox.accept_many([(DEVICE, data) for data in sent])
        assert not [o for o in outcomes if o.verdict == Verdict.QUARANTINED]
        states = inbox.sessions()
        closing = [state for state in states if not state.is_ready]
        # Only of the last session no later one tells the length: none may be missing.
        assert not closing
        came: list[Frame] = []
        for state in states:
            data = assemble(inbox.session_parts(DEVICE, state.session))
            reader = ContainerReader(data)
            frames = list(reader.frames())
            assert not reader.damage
            assert not reader.skipped
            assert data == write_file(frames, HEADER, len(frames))
            came += frames
    assert [(f.level_id, f.payload) for f in came] == [
        (f.level_id, f.payload) for f in FRAMES
    ], "every frame once, in order"
    sealed: dict[str, set[str]] = {}
    for nonce, digest in lines(folder / "sealed"):
        sealed.setdefault(nonce, set()).add(digest)
    assert all(len(digests) == 1 for digests in sealed.values()), "a nonce twice"


EVERY_STEP = pytest.param(1, marks=pytest.mark.slow)


@pytest.mark.parametrize("stride", [5, EVERY_STEP])
@pytest.mark.parametrize("group", [1, 3])
def test_a_device_killed_at_any_step_loses_and_repeats_nothing(
    fast_dir: Path, group: int, stride: int
) -> None:
    for kill_at in itertools.count(group % stride, stride):
        folder = fast_dir / str(kill_at)
        folder.mkdir()

        def work(switch: KillSwitch, folder: Path = folder) -> None:
            run_device(folder, switch, group)

        is_done = survives(work, kill_at)
        if not is_done:
            assert survives(work, None)
        check_delivery(folder)
        if is_done:
            break
    assert kill_at > 40, "that many steps there are at least"


def test_a_device_killed_again_and_again_comes_to_the_end(fast_dir: Path) -> None:
    def work(switch: KillSwitch) -> None:
        run_device(fast_dir, switch, group=1)

    n_kills = 0
    while not survives(work, 11 + n_kills % 7):
        n_kills += 1
    assert n_kills > 3
    check_delivery(fast_dir)


def run_receiver(folder: Path, payloads: list[bytes], switch: KillSwitch) -> None:
    """Take in what is not acknowledged yet, publish what is whole."""
    with Inbox(folder / "inbox.db", KeyRing(folder)) as inbox:
        switch.arm(inbox._file.db)
        acked = acked_by(folder)
        waiting = [
            data
            for data in payloads
            if unpack(data).number > acked.get(unpack(data).session, -1)
        ]
        publish_ready(inbox, folder, switch)  # what was whole before the kill
        while waiting:
            batch, waiting = waiting[:4], waiting[4:]
            outcomes = inbox.accept_many([(DEVICE, data) for data in batch])
            for device, data in inbox.acks(outcomes):
                switch.step()
                ack = read_ack(data, device)
                note(folder / "acks", *ack.session, ack.number)
            publish_ready(inbox, folder, switch)
        switch.step()


def publish_ready(inbox: Inbox, folder: Path, switch: KillSwitch) -> None:
    for state in inbox.ready_sessions():
        publish(inbox, state.session, folder, switch)


def publish(inbox: Inbox, session: SessionId, folder: Path, switch: KillSwitch) -> None:
    path = folder / f"{session}.ddc"
    data = assemble(inbox.session_parts(DEVICE, session))
    switch.step()
    if path.exists():
        assert path.read_bytes() == data, "put twice, so it must be the same"
    else:
        beside = path.with_suffix(".part")
        beside.write_bytes(data)
        switch.step()
        beside.rename(path)
    switch.step()
    inbox.mark_published(DEVICE, session)


def acked_by(folder: Path) -> dict[SessionId, int]:
    numbers: dict[SessionId, int] = {}
    for boot, counter, number in lines(folder / "acks"):
        session = SessionId(int(boot), int(counter))
        numbers[session] = max(int(number), numbers.get(session, -1))
    return numbers


@pytest.mark.parametrize("stride", [5, EVERY_STEP])
def test_a_receiver_killed_at_any_step_loses_and_repeats_nothing(
    fast_dir: Path, stride: int
) -> None:
    first = send_session(7, n_frames=3)
    broken = send_session(
        5,
        n_frames=2,
        session=SessionId(1, 1),
        previous=first.previous(),
        is_closed=False,
    )
    last = send_session(5, session=SessionId(2, 0), previous=broken.previous())
    sessions = (first, broken, last)
    payloads = [data for sent in sessions for data in sent.payloads]
    expected = {f"{sent.session}.ddc": assemble(sent.parts()) for sent in sessions}
    assert expected[f"{first.session}.ddc"] == first.file
    for kill_at in itertools.count(0, stride):
        folder = fast_dir / str(kill_at)
        folder.mkdir()
        write_key_file(folder, KEYS)

        def work(switch: KillSwitch, folder: Path = folder) -> None:
            run_receiver(folder, payloads, switch)

        is_done = survives(work, kill_at)
        check_acks(folder, payloads)
        if not is_done:
            assert survives(work, None)
        found = {path.name: path.read_bytes() for path in folder.glob("*.ddc")}
        assert found == expected
        assert acked_by(folder) == {
            sent.session: len(sent.sealed) - 1 for sent in sessions
        }
        if is_done:
            break
    assert kill_at > 60, "that many steps there are at least"


def check_acks(folder: Path, payloads: list[bytes]) -> None:
    """What was acknowledged before the kill is there after it."""
    acked = acked_by(folder)
    named = [unpack(data) for data in payloads]
    safe = [m for m in named if m.number <= acked.get(m.session, -1)]
    with Inbox(folder / "inbox.db", KeyRing(folder)) as inbox:
        again = inbox.accept_many([(DEVICE, message.pack()) for message in safe])
    assert {outcome.verdict for outcome in again} <= {Verdict.DUPLICATE}
