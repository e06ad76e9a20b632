# SPDX-License-Identifier: Apache-2.0
"""Sessions come into the store once, whole, under the right name, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from dynamic_deep.cloud.inbox import Inbox
from dynamic_deep.cloud.publish_round import PublishRounds
from dynamic_deep.cloud.store import StoreConflictError, StoreError
from dynamic_deep.container_reader import ContainerReader
from dynamic_deep.uplink.keys import write_key_file
from dynamic_deep.uplink.message import SessionId
from tests.cloud.fake_gcs import Bucket
from tests.cloud.ward import START, Bed, BedSession, Receiver

NAME = "devices/bed-7/2026/11/27/09/20261127T090002.250000Z-0000000100000001.ddc"


@pytest.fixture(params=["folder", "fake"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "folder":
        return tmp_path / "store"
    request.getfixturevalue("fake_bucket")
    return "gs://ward/floor"


@pytest.fixture
def receiver(tmp_path: Path, store_url: Path | str) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "state", store_url)
    yield receiver
    receiver.close()


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    (tmp_path / "state").mkdir(exist_ok=True)
    return Bed.known_to(tmp_path / "state" / "keys", "bed-7")


def rounds_of(receiver: Receiver, early_s: float | None = None) -> PublishRounds:
    return PublishRounds(
        receiver.inbox, receiver.publisher, every_s=60, early_s=early_s
    )


def test_a_whole_session_is_the_devices_file(bed: Bed, receiver: Receiver) -> None:
    sent = bed.session()
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}
    assert receiver.inbox.sessions() == []
    assert receiver.publisher.n_puts == 1


def test_messages_in_any_order_give_the_same_object(
    bed: Bed, receiver: Receiver
) -> None:
    sent = bed.session()
    mixed = BedSession(sent.device, sent.session, sent.payloads[::-1], sent.file)
    receiver.take(mixed)
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}


def test_an_open_session_grows_and_is_replaced(bed: Bed, receiver: Receiver) -> None:
    sent = bed.session()
    seen = []
    for stop in (1, 3, 4):
        receiver.take(sent, stop)
        assert receiver.publisher.publish_part(receiver.state(sent))
        assert not receiver.publisher.publish_part(receiver.state(sent))
        (data,) = receiver.objects().values()
        assert sent.file.startswith(data)
        reader = ContainerReader(data)
        seen.append(reader.summarize().n_frames)
        assert not reader.is_complete
    assert seen == [0, 6, 9]
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}
    assert receiver.publisher.n_puts == 4


def test_only_what_has_no_hole_is_put_early(bed: Bed, receiver: Receiver) -> None:
    sent = bed.session()
    receiver.inbox.accept_many([sent.arrivals[i] for i in (0, 1, 3)])
    receiver.publisher.publish_part(receiver.state(sent))
    (data,) = receiver.objects().values()
    assert ContainerReader(data).summarize().n_frames == 3


def test_a_crash_before_the_inbox_knows_stores_nothing_twice(
    bed: Bed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bed.session()
    receiver.take(sent)

    def crash(*_: object) -> None:
        raise StoreError("killed here")

    monkeypatch.setattr(Inbox, "mark_published", crash)
    with pytest.raises(StoreError, match="killed"):
        receiver.publisher.publish_whole(receiver.state(sent))
    monkeypatch.undo()
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}
    assert receiver.publisher.n_puts == 1


def test_a_crash_after_an_early_put_is_made_good(
    bed: Bed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bed.session()
    receiver.take(sent, 3)

    def crash(*_: object, **__: object) -> None:
        raise StoreError("killed here")

    monkeypatch.setattr(receiver.book, "note", crash)
    with pytest.raises(StoreError, match="killed"):
        receiver.publisher.publish_part(receiver.state(sent))
    monkeypatch.undo()
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}
    assert receiver.inbox.sessions() == []


def test_a_lost_state_folder_costs_nothing(
    bed: Bed, receiver: Receiver, tmp_path: Path, store_url: Path | str
) -> None:
    """The device sends all again, to a receiver without memory."""
    sent = bed.session()
    receiver.take(sent)
    rounds_of(receiver).run_once()
    other = Receiver(tmp_path / "other", store_url)
    write_key_file(tmp_path / "other/keys", bed.keys)
    other.take(sent, 4)
    other.publisher.publish_part(other.state(sent))
    assert other.objects() == {NAME: sent.file}
    other.take(sent)
    rounds_of(other).run_once()
    assert other.objects() == {NAME: sent.file}
    assert other.publisher.n_puts == 0
    other.close()


def test_a_foreign_object_is_a_conflict_and_the_rest_goes_on(
    bed: Bed, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.store.put(NAME, b"something else")
    sent, later = bed.session(), bed.session(START + timedelta(hours=1))
    receiver.take(sent)
    receiver.take(later)
    rounds = rounds_of(receiver)
    rounds.run_once()
    rounds.run_once()
    assert rounds.state.n_stuck == 1
    assert caplog.text.count("move that object away") == 1
    assert receiver.store.get(NAME) == b"something else"
    assert later.file in receiver.objects().values()
    assert [state.session for state in receiver.inbox.sessions()] == [sent.session]
    with pytest.raises(StoreConflictError):
        receiver.publisher.publish_whole(receiver.state(sent))
    receiver.store.delete(NAME)
    rounds.run_once()
    assert receiver.store.get(NAME) == sent.file


@pytest.mark.parametrize(
    "start",
    [
        None,
        datetime(2026, 11, 27, 9),  # of an unknown zone
        datetime(1970, 1, 1, 0, 3, tzinfo=UTC),  # a clock that was never set
        START + timedelta(days=400),  # one that ran ahead
    ],
)
def test_a_time_that_is_not_known_has_its_place(
    bed: Bed, receiver: Receiver, start: datetime | None
) -> None:
    sent = bed.session(start)
    receiver.take(sent)
    rounds_of(receiver).run_once()
    name = "devices/bed-7/unknown-time/0000000100000001.ddc"
    assert receiver.objects() == {name: sent.file}
    assert receiver.publisher.n_unknown_time == 1


def test_a_local_time_is_stored_by_utc(bed: Bed, receiver: Receiver) -> None:
    zone = timezone(timedelta(hours=13))
    sent = bed.session(START.astimezone(zone))
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert list(receiver.objects()) == [NAME]


def test_a_session_without_end_is_put_when_the_next_one_begins(
    bed: Bed, receiver: Receiver
) -> None:
    sent = bed.session(is_closed=False)
    receiver.take(sent)
    rounds_of(receiver).run_once()
    assert receiver.publisher.n_puts == 0
    receiver.take(bed.session(START + timedelta(minutes=9)))
    rounds_of(receiver).run_once()
    assert len(receiver.objects()) == 2
    reader = ContainerReader(receiver.objects()[NAME])
    assert reader.is_complete
    assert reader.summarize().n_frames == 18
    assert not reader.damage


def test_a_silent_session_is_given_up_and_marked(bed: Bed, receiver: Receiver) -> None:
    sent = bed.session()
    receiver.inbox.accept_many([sent.arrivals[i] for i in (0, 1, 3)])
    rounds = rounds_of(receiver)
    rounds.give_up(before=0.0)
    assert receiver.inbox.sessions()
    rounds.give_up(before=1e12)
    (data,) = receiver.objects().values()
    reader = ContainerReader(data)
    assert reader.summarize().n_frames == 6
    assert sum(place.n_frames for place in reader.skipped) == 3
    assert receiver.inbox.sessions() == []


def test_a_store_that_is_away_is_said_and_asked_again(
    bed: Bed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(8):
        receiver.take(bed.session(START + timedelta(hours=hour)))
    n_tries = 0

    def away(*_: object, **__: object) -> int:
        nonlocal n_tries
        n_tries += 1
        raise StoreError("no network")

    monkeypatch.setattr(receiver.store, "put", away)
    rounds = rounds_of(receiver)
    rounds.run_once()
    assert "no network" in rounds.state.trouble
    assert rounds.state.n_waiting == 8
    assert n_tries <= 4  # those on their way; not one timeout for each
    monkeypatch.undo()
    rounds.run_once()
    assert rounds.state.trouble == ""
    assert len(receiver.objects()) == 8


def test_a_lost_answer_of_the_store_stores_nothing_twice(
    tmp_path: Path, fake_bucket: Bucket
) -> None:
    (tmp_path / "state").mkdir()
    bed = Bed.known_to(tmp_path / "state/keys", "bed-7")
    receiver = Receiver(tmp_path / "state", "gs://ward")
    sent = bed.session()
    receiver.take(sent)
    fake_bucket.lose_answers = 1
    rounds_of(receiver).run_once()
    assert receiver.objects() == {NAME: sent.file}
    assert receiver.inbox.sessions() == []
    receiver.close()


def test_a_name_stays_though_the_clock_of_the_receiver_moves(
    bed: Bed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = START + timedelta(days=40)
    sent = bed.session(ahead)
    receiver.take(sent, 3)
    receiver.publisher.publish_part(receiver.state(sent))
    receiver.take(sent)
    monkeypatch.setattr(receiver.publisher, "_clock", lambda: ahead.timestamp())
    rounds_of(receiver).run_once()
    (name,) = receiver.objects()
    assert "unknown-time" in name


def test_two_boots_of_a_device_do_not_meet(bed: Bed, receiver: Receiver) -> None:
    first = bed.session(session=SessionId(1, 0))
    second = bed.session(session=SessionId(2, 0))
    receiver.take(first)
    receiver.take(second)
    rounds_of(receiver).run_once()
    assert len(receiver.objects()) == 2
