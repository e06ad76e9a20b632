# SPDX-License-Identifier: Apache-2.0
"""`device_sim/outbox.py`: what is stored stays until it is acknowledged, not longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_sim.outbox import Outbox, OutboxError, StoredState
from dynamic_deep.container import ContainerWriter, Frame
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.ack import Ack
from dynamic_deep.uplink.body import PreviousSession, unpack_open
from dynamic_deep.uplink.keys import DeviceKeys, new_device_keys
from dynamic_deep.uplink.message import NO_SESSION, SessionId
from dynamic_deep.uplink.session import MessageSink
from tests.helpers import make_frames, make_header, n_samples_of
from tests.uplink.traffic import KEYS, OTHER_KEYS, opened

DEVICE = KEYS.device
WINDOW = 8960  # samples of a window at 300 Hz


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.boot([DEVICE])
        yield outbox


def write_session(
    outbox: Outbox, keys: DeviceKeys = KEYS, n_windows: int = 7, mark: int = 0
) -> MessageSink:
    sink = MessageSink(outbox.begin(keys, mark), outbox.put, n_frames=2)
    writer = ContainerWriter(sink.stream, make_header())
    for frame in make_frames(n_windows):
        writer.write_frame(frame)
    writer.close(n_samples_of(n_windows, make_header()))
    return sink


def ack(session: SessionId, number: int, device: str = DEVICE) -> Ack:
    return Ack(device=device, key_id=1, session=session, number=number)


def numbers(outbox: Outbox, device: str = DEVICE) -> list[int]:
    return [stored.number for stored in outbox.pending(device, limit=999)]


def test_messages_come_out_in_order_and_in_portions(outbox: Outbox) -> None:
    for _ in range(3):
        write_session(outbox)
    stored = outbox.pending(DEVICE, limit=999)
    assert len(stored) == outbox.n_messages
    assert [(s.session, s.number) for s in stored] == sorted(
        (s.session, s.number) for s in stored
    )
    again, after = [], 0
    while portion := outbox.pending(DEVICE, after=after, limit=2):
        again += portion
        after = portion[-1].row_id
    assert again == stored


def test_an_acknowledgement_lets_go_of_all_before_it(outbox: Outbox) -> None:
    write_session(outbox)
    write_session(outbox)
    outbox.acknowledge(ack(SessionId(1, 1), 1))
    outbox.acknowledge(ack(SessionId(1, 0), 2))
    outbox.acknowledge(ack(SessionId(1, 0), 0))  # an older one, late
    assert len(numbers(outbox)) == 10, "with the next commit"
    outbox.commit()
    assert numbers(outbox) == [3, 4, 2, 3, 4]
    outbox.acknowledge(ack(SessionId(1, 0), 999))
    outbox.acknowledge(ack(SessionId(9, 9), 999))
    outbox.commit()
    assert numbers(outbox) == [2, 3, 4]
    outbox.acknowledge(ack(SessionId(1, 1), 4))
    outbox.commit()
    assert (outbox.n_messages, outbox.n_bytes) == (0, 0)
    assert not outbox.devices_pending()


def test_devices_do_not_touch_each_other(outbox: Outbox) -> None:
    outbox.boot([OTHER_KEYS.device])
    write_session(outbox)
    write_session(outbox, OTHER_KEYS)
    assert outbox.devices_pending() == {DEVICE, OTHER_KEYS.device}
    outbox.acknowledge(ack(SessionId(1, 0), 4, OTHER_KEYS.device))
    outbox.commit()
    assert outbox.devices_pending() == {DEVICE}
    assert numbers(outbox) == [0, 1, 2, 3, 4]


def test_boots_and_sessions_ascend(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        with Outbox(tmp_path / "outbox.db") as outbox:
            outbox.boot([DEVICE])
            seen += [outbox.begin(KEYS).session for _ in range(2)]
    assert seen == [SessionId(boot, n) for boot in (1, 2, 3) for n in (0, 1)]


def test_a_session_needs_a_boot_of_this_process(tmp_path: Path) -> None:
    for _ in range(2):
        with Outbox(tmp_path / "outbox.db") as outbox:
            with pytest.raises(ConfigError, match="boot"):
                outbox.begin(KEYS)
            outbox.boot([DEVICE])
            outbox.begin(KEYS)


def test_a_lost_store_is_made_up_for_by_a_greater_boot(tmp_path: Path) -> None:
    keys = DeviceKeys(device=DEVICE, keys=KEYS.keys, min_boot=70)
    seen = []
    for _ in range(2):
        with Outbox(tmp_path / "outbox.db") as outbox:
            outbox.boot([DEVICE])
            seen += [outbox.begin(keys).session, outbox.begin(keys).session]
    assert seen == [SessionId(boot, n) for boot in (70, 71) for n in (0, 1)]


def test_open_tells_the_length_of_the_session_before(tmp_path: Path) -> None:
    def previous(outbox: Outbox) -> PreviousSession:
        return outbox.begin(KEYS).previous

    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.boot([DEVICE])
        assert previous(outbox) == PreviousSession(NO_SESSION, 0)
        assert previous(outbox) == PreviousSession(NO_SESSION, 0), "nothing was stored"
        sink = write_session(outbox)
        assert previous(outbox) == PreviousSession(SessionId(1, 2), sink.n_messages)
    with Outbox(path) as outbox:
        outbox.boot([DEVICE])
        outbox.acknowledge(ack(SessionId(1, 2), 99))
        outbox.commit()
        write_session(outbox)
        (first, *_) = outbox.pending(DEVICE)
        content, _ = unpack_open(opened(first.data).body)
        assert content.previous == PreviousSession(SessionId(1, 2), sink.n_messages)


def test_state_tells_where_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.boot([DEVICE])
        assert outbox.state(DEVICE) == StoredState(boot=1)
        sink = MessageSink(outbox.begin(KEYS, 5000), outbox.put, n_frames=2)
        writer = ContainerWriter(sink.stream, make_header())
        for frame in make_frames(6):
            writer.write_frame(frame)
        expected = StoredState(
            boot=1,
            session=SessionId(1, 0),
            n_messages=3,
            next_seq=4,
            n_samples=4 * WINDOW,
            mark=5000,
        )
        assert outbox.state(DEVICE) == expected, "the last two windows are not sealed"
    with Outbox(path) as outbox:
        assert outbox.state(DEVICE) == expected
        outbox.boot([DEVICE])
        assert outbox.state(DEVICE) == expected._replace(boot=2)
        write_session(outbox, n_windows=3)
        assert outbox.state(DEVICE).is_closed


def test_a_session_that_is_over_takes_nothing_more(outbox: Outbox) -> None:
    sink = MessageSink(outbox.begin(KEYS), outbox.put)
    writer = ContainerWriter(sink.stream, make_header())
    outbox.begin(KEYS)
    writer.write_frame(Frame(0, 0, 0, b"x"))
    with pytest.raises(ConfigError, match="next"):
        writer.close(WINDOW)


def test_nothing_is_sent_before_it_is_committed(tmp_path: Path) -> None:
    heard: list[set[str]] = []
    with Outbox(tmp_path / "outbox.db", group=100) as outbox:
        outbox.listen(heard.append)
        outbox.boot([DEVICE])
        write_session(outbox)
        assert outbox.n_messages == 5
        assert not outbox.pending(DEVICE)
        assert not heard
        assert outbox.commit()
        assert numbers(outbox) == [0, 1, 2, 3, 4]
        assert heard == [{DEVICE}]
    with Outbox(tmp_path / "outbox.db") as outbox:
        assert outbox.n_messages == 5


def test_a_full_outbox_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", max_bytes=2000) as outbox:
        outbox.boot([DEVICE])
        sink = MessageSink(outbox.begin(KEYS), outbox.put, n_frames=1)
        writer = ContainerWriter(sink.stream, make_header())
        frames = iter(make_frames(60))
        while not sink.is_blocked:
            writer.write_frame(next(frames))
        n_stored = outbox.n_messages
        assert outbox.n_bytes <= 2000
        assert not sink.retry()
        assert outbox.state(DEVICE).n_messages == n_stored == len(numbers(outbox))
        outbox.acknowledge(ack(SessionId(1, 0), 0))
        assert sink.retry(), "an acknowledgement makes room at once"
        assert numbers(outbox) == list(range(1, n_stored + 1))


def test_a_message_above_the_limit_never_fits(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", max_bytes=10) as outbox:
        outbox.boot([DEVICE])
        sink = write_session(outbox)
        assert sink.is_blocked
        assert outbox.n_messages == 0


def test_it_may_be_used_from_several_threads(tmp_path: Path) -> None:
    keys = [new_device_keys(f"bed-{i}") for i in range(4)]
    with Outbox(tmp_path / "outbox.db", group=5) as outbox:
        outbox.boot([k.device for k in keys])

        def run(own: DeviceKeys) -> None:
            for _ in range(5):
                sink = write_session(outbox, own)
                assert not sink.is_blocked
                outbox.commit()
                for stored in outbox.pending(own.device):
                    outbox.acknowledge(ack(stored.session, stored.number, own.device))

        threads = [threading.Thread(target=run, args=(own,)) for own in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outbox.commit()
        assert (outbox.n_messages, outbox.n_bytes) == (0, 0)


def test_wrong_files_and_limits(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"something else" * 100)
    with pytest.raises(OutboxError):
        Outbox(tmp_path / "other.db")
    with pytest.raises(OutboxError):
        Outbox(tmp_path / "missing" / "outbox.db")
    for limits in ({"max_bytes": 0}, {"group": 0}):
        with pytest.raises(ConfigError, match="positive"):
            Outbox(tmp_path / "outbox.db", **limits)
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        outbox.boot([DEVICE])
