# SPDX-License-Identifier: Apache-2.0
"""`cloud/inbox.py`: everything once, nothing forged, whatever the order."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dynamic_deep.cloud.inbox import Inbox, InboxError, Verdict
from dynamic_deep.cloud.quarantine import MAX_KEPT_LEN
from dynamic_deep.container import ContainerReader
from dynamic_deep.uplink.ack import read_ack, verifies
from dynamic_deep.uplink.assembly import assemble
from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.keys import (
    DeviceKeys,
    KeyRing,
    new_key,
    write_key_file,
)
from dynamic_deep.uplink.message import (
    MAX_MESSAGE_LEN,
    Kind,
    Message,
    SessionId,
    unpack,
)
from dynamic_deep.uplink.sealing import open_sealed, seal
from tests.helpers import bit_flips
from tests.uplink.traffic import KEYS, OTHER_KEYS, SentSession, opened, send_session

DEVICE = KEYS.device


class Clock:
    """Seconds since 1970, as the test sets them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    write_key_file(tmp_path, KEYS)
    write_key_file(tmp_path, OTHER_KEYS)
    return KeyRing(tmp_path)


@pytest.fixture
def inbox(tmp_path: Path, ring: KeyRing, clock: Clock) -> Iterator[Inbox]:
    with Inbox(tmp_path / "inbox.db", ring, clock=clock) as inbox:
        yield inbox


def take(inbox: Inbox, payloads: list[bytes], device: str = DEVICE) -> Counter[Verdict]:
    outcomes = inbox.accept_many([(device, payload) for payload in payloads])
    return Counter(outcome.verdict for outcome in outcomes)


def acked(inbox: Inbox, payloads: list[bytes]) -> dict[SessionId, int]:
    """What the device may delete after these messages have come."""
    outcomes = inbox.accept_many([(DEVICE, payload) for payload in payloads])
    numbers = {}
    for device, data in inbox.acks(outcomes):
        assert device == DEVICE
        ack = read_ack(data, device)
        assert verifies(data, ack, KEYS.keys[ack.key_id])
        assert ack.session not in numbers
        numbers[ack.session] = ack.number
    return numbers


def files(inbox: Inbox) -> list[bytes]:
    return [
        assemble(inbox.session_parts(state.device, state.session))
        for state in inbox.ready_sessions()
    ]


def forged(sent: SentSession, at: int, body: bytes, **changes: object) -> bytes:
    """A message of the device itself, with another body or place."""
    message = replace(sent.sealed[at].message, **changes)
    return seal(message, body, sent.keys.keys[message.key_id]).pack()


def test_a_session_comes_out_as_it_was_written(inbox: Inbox) -> None:
    sent = send_session()
    assert take(inbox, sent.payloads[:-1]) == {Verdict.ACCEPTED: len(sent.sealed) - 1}
    assert not inbox.ready_sessions()
    assert acked(inbox, sent.payloads[-1:]) == {sent.session: len(sent.sealed) - 1}
    assert files(inbox) == [sent.file]


@pytest.mark.parametrize("seed", range(8))
def test_order_and_repetition_do_not_matter(inbox: Inbox, seed: int) -> None:
    rng = random.Random(seed)
    first = send_session(seed=1)
    second = send_session(
        seed=2, session=SessionId(1, 1), previous=first.previous(), is_closed=False
    )
    third = send_session(seed=3, session=SessionId(2, 0), previous=second.previous())
    sessions = (first, second, third)
    payloads = [payload for sent in sessions for payload in sent.payloads]
    arrivals = payloads * 3
    rng.shuffle(arrivals)
    verdicts: Counter[Verdict] = Counter()
    while arrivals:
        n_taken = rng.randint(1, 9)
        verdicts += take(inbox, arrivals[:n_taken])
        del arrivals[:n_taken]
    assert verdicts[Verdict.ACCEPTED] == len(payloads)
    assert verdicts[Verdict.DUPLICATE] == 2 * len(payloads)
    assert not verdicts[Verdict.QUARANTINED]
    expected = [first.file, assemble(second.parts()), third.file]
    assert files(inbox) == expected
    assert acked(inbox, payloads) == {
        sent.session: len(sent.sealed) - 1 for sent in sessions
    }


def test_only_what_has_no_hole_before_it_is_acknowledged(inbox: Inbox) -> None:
    sent = send_session(30)
    assert acked(inbox, sent.payloads[3:5]) == {}
    assert acked(inbox, sent.payloads[:1]) == {sent.session: 0}
    assert acked(inbox, sent.payloads[2:3]) == {sent.session: 0}
    assert acked(inbox, sent.payloads[1:2]) == {sent.session: 4}


def test_a_session_without_end_is_ready_when_the_next_tells_its_length(
    inbox: Inbox,
) -> None:
    broken = send_session(is_closed=False)
    after = send_session(session=SessionId(2, 0), previous=broken.previous())
    take(inbox, broken.payloads[:-1])
    take(inbox, after.payloads[:1])
    assert not inbox.ready_sessions(), "one message is still on its way"
    take(inbox, broken.payloads[-1:])
    assert files(inbox) == [assemble(broken.parts())]


def test_a_session_that_never_came_is_known_to_be_missing(inbox: Inbox) -> None:
    lost = PreviousSession(SessionId(1, 0), 4)
    take(inbox, send_session(session=SessionId(2, 0), previous=lost).payloads)
    missing = [state for state in inbox.sessions() if not state.is_ready]
    assert [(s.session, s.n_here, s.n_messages) for s in missing] == [(*lost[:1], 0, 4)]


def test_what_is_published_stays_a_duplicate(inbox: Inbox, clock: Clock) -> None:
    first = send_session()
    second = send_session(session=SessionId(1, 1), previous=first.previous())
    payloads = first.payloads + second.payloads
    take(inbox, payloads)
    for sent in (first, second):
        inbox.mark_published(DEVICE, sent.session)
    assert not inbox.sessions()
    for _ in range(2):
        assert take(inbox, payloads) == {Verdict.DUPLICATE: len(payloads)}
        assert acked(inbox, payloads[:1]) == {first.session: len(first.sealed) - 1}
    assert inbox.forget(clock.now) == 0, "they are not old"
    clock.now += 10
    assert inbox.forget(clock.now) == 2
    assert take(inbox, payloads[:2]) == {Verdict.QUARANTINED: 2}
    assert take(inbox, payloads[:2]) == {Verdict.DUPLICATE: 2}
    assert acked(inbox, payloads[:2]) == {first.session: 1}
    assert acked(inbox, payloads[3:4]) == {first.session: 1}, "2 is not kept yet"
    assert acked(inbox, payloads[2:3]) == {first.session: 3}
    assert {entry.payload for entry in inbox.quarantined()} == set(payloads[:4])
    assert not inbox.sessions()
    third = send_session(session=SessionId(1, 2), previous=second.previous())
    assert take(inbox, third.payloads) == {Verdict.ACCEPTED: len(third.sealed)}
    inbox.mark_published(DEVICE, third.session)
    clock.now += 10
    assert inbox.forget(clock.now) == 1


def test_forgetting_stops_at_a_session_that_is_not_done(
    inbox: Inbox, clock: Clock
) -> None:
    first = send_session(is_closed=False)
    second = send_session(session=SessionId(2, 0), previous=first.previous())
    take(inbox, first.payloads[:1] + second.payloads)
    inbox.mark_published(DEVICE, second.session)
    clock.now += 10
    assert inbox.forget(clock.now) == 0
    assert take(inbox, first.payloads[1:])[Verdict.ACCEPTED] == len(first.sealed) - 1


def test_a_second_publishing_is_refused(inbox: Inbox) -> None:
    sent = send_session()
    with pytest.raises(InboxError, match="not here"):
        inbox.session_parts(DEVICE, sent.session)
    take(inbox, sent.payloads)
    inbox.mark_published(DEVICE, sent.session)
    with pytest.raises(InboxError, match="already"):
        inbox.mark_published(DEVICE, sent.session)


def test_what_comes_after_a_session_was_given_up_is_kept_and_acknowledged(
    inbox: Inbox,
) -> None:
    sent = send_session(30)
    take(inbox, [sent.payloads[0], sent.payloads[1], sent.payloads[3]])
    inbox.mark_published(DEVICE, sent.session)  # by an operator; 2 has not come
    assert take(inbox, [sent.payloads[3]]) == {Verdict.DUPLICATE: 1}
    assert acked(inbox, [sent.payloads[3]]) == {sent.session: 1}
    late = [sent.payloads[2], *sent.payloads[4:]]
    assert take(inbox, late) == {Verdict.QUARANTINED: len(late)}
    assert acked(inbox, late[:1]) == {sent.session: len(sent.sealed) - 1}
    kept = inbox.quarantined()
    assert {entry.payload for entry in kept} == set(late)
    assert all(entry.is_authentic and "over" in entry.reason for entry in kept)


def test_no_changed_bit_is_accepted(inbox: Inbox) -> None:
    sent = send_session(1)
    flipped = [data for _, data in bit_flips(sent.payloads[0], range(60))]
    flipped += [data for _, data in bit_flips(sent.payloads[-1], range(30, 60))]
    assert take(inbox, flipped) == {Verdict.QUARANTINED: len(flipped)}
    assert not inbox.sessions()
    assert acked(inbox, flipped) == {}
    assert take(inbox, sent.payloads) == {Verdict.ACCEPTED: len(sent.sealed)}
    assert files(inbox) == [sent.file]


@pytest.mark.parametrize(
    ("device", "payload", "reason"),
    [
        (DEVICE, b"", "whole"),
        (DEVICE, b"hello", "begin with"),
        (DEVICE, bytes(MAX_MESSAGE_LEN + 1), "at most"),
        ("bed-18", send_session().payloads[0], "topic"),
        ("bed-99", send_session().payloads[0], "topic"),
        (DEVICE, send_session(keys=OTHER_KEYS).payloads[0], "topic"),
        (
            DEVICE,
            send_session(keys=DeviceKeys(device=DEVICE, keys={9: bytes(32)})).payloads[
                0
            ],
            "known with its key",
        ),
        (
            DEVICE,
            send_session(keys=DeviceKeys(device=DEVICE, keys={1: bytes(32)})).payloads[
                0
            ],
            "verify",
        ),
        (
            "x",
            send_session(keys=DeviceKeys(device="x", keys={1: bytes(32)})).payloads[0],
            "known with its key",
        ),
    ],
)
def test_what_is_not_the_devices_is_quarantined_with_the_reason(
    inbox: Inbox, device: str, payload: bytes, reason: str, clock: Clock
) -> None:
    outcome = inbox.accept(device, payload)
    assert outcome.verdict == Verdict.QUARANTINED
    assert reason in outcome.reason
    assert not inbox.acks([outcome])
    assert not inbox.sessions()
    clock.now = 1010.0
    inbox.accept(device, payload)
    (entry,) = inbox.quarantined()
    assert (entry.topic_device, entry.reason) == (device, outcome.reason)
    assert (entry.first_time, entry.last_time, entry.n_times) == (1000.0, 1010.0, 2)
    assert (entry.n_bytes, entry.payload) == (len(payload), payload[:MAX_KEPT_LEN])


@pytest.mark.parametrize("is_published", [True, False])
def test_a_device_that_was_reset_is_told_apart_and_loses_nothing(
    inbox: Inbox, is_published: bool
) -> None:
    """It counts its boots anew, and so uses nonces twice."""
    sent, after = send_session(9, seed=1), send_session(30, seed=2)
    take(inbox, sent.payloads)
    if is_published:
        inbox.mark_published(DEVICE, sent.session)
    assert sent.payloads[0] != after.payloads[0], "although the header is the same"
    for payload in after.payloads:
        # One acknowledgement would let the device delete what is not here.
        assert acked(inbox, [payload]) == {}
    assert acked(inbox, sent.payloads) == {}
    kept = inbox.quarantined(99)
    assert {entry.payload for entry in kept} == set(after.payloads)
    assert "min_boot" in kept[-1].reason
    if not is_published:
        assert files(inbox) == [sent.file]
    mended = send_session(session=SessionId(1000, 0), seed=2)
    assert take(inbox, mended.payloads) == {Verdict.ACCEPTED: len(mended.sealed)}
    assert files(inbox)[-1] == mended.file


@pytest.mark.parametrize("is_open_first", [True, False])
def test_a_body_at_fault_takes_its_place_and_leaves_a_gap(
    inbox: Inbox, is_open_first: bool
) -> None:
    sent = send_session(30, n_frames=4)
    body = bytearray(opened(sent.payloads[3]).body)
    body[9] ^= 1
    bad = forged(sent, 3, bytes(body))
    others = [*sent.payloads[1:3], *sent.payloads[4:]]
    order = [sent.payloads[0], bad] if is_open_first else [bad, sent.payloads[0]]
    take(inbox, order)
    assert acked(inbox, others) == {sent.session: len(sent.sealed) - 1}
    (entry,) = inbox.quarantined()
    assert entry.is_authentic
    assert "verify" in entry.reason
    (data,) = files(inbox)
    reader = ContainerReader(io.BytesIO(data))
    lost = range(sent.sealed[2].next_seq, sent.sealed[3].next_seq)
    assert [frame.window_idx for frame in reader.frames()] == [
        window for window in range(30) if window not in lost
    ]
    assert not reader.damage
    assert take(inbox, [bad]) == {Verdict.DUPLICATE: 1}


def test_a_header_at_fault_leaves_a_session_that_is_not_ready(inbox: Inbox) -> None:
    sent = send_session()
    bad = forged(sent, 0, opened(sent.payloads[0]).body + b"\0")
    assert take(inbox, [bad]) == {Verdict.QUARANTINED: 1}
    take(inbox, sent.payloads[1:])
    assert acked(inbox, sent.payloads[1:2]) == {sent.session: len(sent.sealed) - 1}
    assert not inbox.ready_sessions()
    (state,) = inbox.sessions()
    assert state.header is None
    assert state.n_here == len(sent.sealed)


@pytest.mark.parametrize(
    ("at", "changes"),
    [
        (0, {"number": 1}),
        (1, {"number": 0, "kind": Kind.FRAMES}),
        (1, {"kind": Kind.CLOSE}),
        (4, {"kind": Kind.OPEN}),
        (1, {"table": bytes(8)}),
        (1, {"number": 2}),
        (5, {"number": 2}),
    ],
)
def test_a_device_that_confuses_its_messages_is_found_out(
    inbox: Inbox, at: int, changes: dict[str, object]
) -> None:
    sent = send_session(30)
    body = opened(sent.payloads[at]).body
    wrong = forged(sent, at, body, **changes)
    number = unpack(wrong).number
    before = sent.payloads[:number] if number else []
    take(inbox, before)
    assert take(inbox, [wrong]) == {Verdict.QUARANTINED: 1}
    assert inbox.quarantined()[0].is_authentic


def test_a_message_after_the_last_is_quarantined(inbox: Inbox) -> None:
    sent = send_session()
    take(inbox, sent.payloads)
    extra = forged(sent, 1, opened(sent.payloads[1]).body, number=len(sent.sealed))
    assert take(inbox, [extra]) == {Verdict.QUARANTINED: 1}
    assert files(inbox) == [sent.file]


def test_a_session_before_that_is_not_before_is_refused(inbox: Inbox) -> None:
    previous = PreviousSession(SessionId(7, 0), 3)
    sent = send_session(session=SessionId(7, 0), previous=previous)
    assert inbox.accept(DEVICE, sent.payloads[0]).verdict == Verdict.QUARANTINED


def test_a_key_file_that_can_not_be_used_costs_its_device_only(
    tmp_path: Path, inbox: Inbox
) -> None:
    path = tmp_path / f"{DEVICE}.toml"
    path.chmod(0o644)
    sent, other = send_session(), send_session(keys=OTHER_KEYS)
    outcome = inbox.accept(DEVICE, sent.payloads[0])
    assert "chmod" in outcome.reason
    assert take(inbox, other.payloads, "bed-18") == {
        Verdict.ACCEPTED: len(other.sealed)
    }
    path.chmod(0o600)
    assert take(inbox, sent.payloads) == {Verdict.ACCEPTED: len(sent.sealed)}


def test_keys_rotate_while_messages_flow(
    tmp_path: Path, inbox: Inbox, ring: KeyRing
) -> None:
    old = send_session()
    rotated = KEYS.rotated()
    new = send_session(
        keys=rotated, session=SessionId(1, 1), previous=old.previous(), seed=5
    )
    take(inbox, old.payloads[:2])
    write_key_file(tmp_path, rotated)
    assert take(inbox, new.payloads + old.payloads[2:])[Verdict.QUARANTINED] == 0
    assert files(inbox) == [old.file, new.file]
    write_key_file(tmp_path, DeviceKeys(device=DEVICE, keys={2: rotated.key}))
    outcomes = inbox.accept_many([(DEVICE, old.payloads[0])])
    assert outcomes[0].verdict == Verdict.QUARANTINED
    assert ring.find(DEVICE, 1) is None


def test_room_for_what_is_forged_is_bounded(tmp_path: Path, ring: KeyRing) -> None:
    rng = random.Random(2)
    with Inbox(tmp_path / "small.db", ring, max_quarantine_bytes=20_000) as inbox:
        sent = send_session()
        bad = forged(sent, 0, b"no header")
        inbox.accept(DEVICE, bad)
        for _ in range(300):
            inbox.accept(DEVICE, rng.randbytes(1000))
        kept = inbox.quarantined(1000)
        assert sum(len(entry.payload) for entry in kept) <= 20_000
        assert kept[-1].payload == bad, "the device was told that it is safe here"
        assert inbox.counters()["quarantine_let_go"] == 300 - (len(kept) - 1)
        assert inbox.counters()["quarantined"] == 301


def test_all_is_still_there_after_opening_again(
    tmp_path: Path, ring: KeyRing, clock: Clock
) -> None:
    sent = send_session()
    for payload in sent.payloads:
        with Inbox(tmp_path / "inbox.db", ring, clock=clock) as inbox:
            assert take(inbox, [payload]) == {Verdict.ACCEPTED: 1}
            assert take(inbox, [payload]) == {Verdict.DUPLICATE: 1}
    with Inbox(tmp_path / "inbox.db", ring) as inbox:
        assert files(inbox) == [sent.file]
        assert inbox.counters() == {
            "accepted": len(sent.sealed),
            "duplicate": len(sent.sealed),
        }
    with pytest.raises(InboxError, match="closed"):
        inbox.sessions()


def test_a_file_that_is_no_inbox_is_one_clear_error(
    tmp_path: Path, ring: KeyRing
) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"something else" * 100)
    with pytest.raises(InboxError):
        Inbox(path, ring)
    with pytest.raises(InboxError):
        Inbox(tmp_path / "missing" / "inbox.db", ring)


def test_an_error_in_a_batch_takes_nothing_in(
    tmp_path: Path, inbox: Inbox, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = send_session()
    calls = []

    def find(device: str, key_id: int) -> bytes | None:
        calls.append(device)
        if len(calls) == 3:
            raise RuntimeError("a fault in our own code")
        return KEYS.find(device, key_id)

    monkeypatch.setattr(ring, "find", find)
    with pytest.raises(RuntimeError):
        take(inbox, sent.payloads)
    monkeypatch.undo()
    assert not inbox.sessions()
    assert take(inbox, sent.payloads) == {Verdict.ACCEPTED: len(sent.sealed)}


def test_open_sealed_and_the_inbox_agree_on_new_keys() -> None:
    key = new_key()
    message = Message(
        kind=Kind.OPEN,
        key_id=1,
        device=DEVICE,
        session=SessionId(1, 0),
        number=0,
        table=bytes(8),
    )
    assert open_sealed(seal(message, b"x", key), key) == b"x"
