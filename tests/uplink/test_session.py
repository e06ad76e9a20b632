# SPDX-License-Identifier: Apache-2.0
"""`uplink/session.py`, `body.py`, `assembly.py`: the file comes out as it went in."""

from __future__ import annotations

import io
import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep import Codec, Recording
from dynamic_deep.bitstream import frame_len
from dynamic_deep.container import ContainerReader, ContainerWriter, Frame
from dynamic_deep.errors import ConfigError, CorruptError, FormatError
from dynamic_deep.policy import Fixed
from dynamic_deep.uplink.assembly import Part, assemble
from dynamic_deep.uplink.body import (
    PreviousSession,
    table_of,
    unpack_items,
    unpack_open,
)
from dynamic_deep.uplink.message import Kind, SessionId
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.session import MessageSink
from tests.helpers import make_frames, make_header, n_samples_of, read_all, with_byte
from tests.uplink.traffic import KEYS, opened, send_session, write_file


@pytest.mark.parametrize("n_leads", [1, 3])
@pytest.mark.parametrize("n_windows", [0, 1, 2, 5, 23])
@pytest.mark.parametrize("max_bytes", [1, 300, 1 << 16])
def test_a_whole_session_is_the_file_byte_for_byte(
    n_leads: int, n_windows: int, max_bytes: int
) -> None:
    sent = send_session(n_windows, n_leads, max_bytes=max_bytes)
    assert assemble(sent.parts()) == sent.file
    assert assemble(reversed(sent.parts())) == sent.file


def test_a_long_session_keeps_its_index() -> None:
    sent = send_session(400, max_len=1000, n_frames=10)
    assert assemble(sent.parts()) == sent.file
    reader = ContainerReader(assemble(sent.parts()))
    assert reader.read_frame(399, 0) == sent.frames[399]


def test_messages_are_numbered_and_bear_table_and_previous_session() -> None:
    before = PreviousSession(SessionId(1, 0), 9)
    sent = send_session(session=SessionId(1, 1), previous=before)
    heads = [message.message for message in sent.sealed]
    assert [head.number for head in heads] == list(range(len(heads)))
    kinds = [head.kind for head in heads]
    assert kinds == [Kind.OPEN, *[Kind.FRAMES] * (len(heads) - 2), Kind.CLOSE]
    content, header = unpack_open(sent.parts()[0].body)
    assert content.previous == before
    assert header.header == make_header()
    assert {head.table for head in heads} == {table_of(content.header)}


@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 9), st.integers(1, 900))
def test_messages_hold_whole_windows_and_the_last_holds_the_last(
    n_windows: int, n_leads: int, n_frames: int, max_bytes: int
) -> None:
    sent = send_session(
        n_windows, min(n_leads, 3), n_frames=n_frames, max_bytes=max_bytes
    )
    n_leads = min(n_leads, 3)
    _, header = unpack_open(sent.parts()[0].body)
    due = 0
    for message, part in zip(sent.sealed[1:], sent.parts()[1:], strict=True):
        is_close = part.kind == Kind.CLOSE
        items = unpack_items(part.body, header, is_close=is_close)
        assert items.seq == due
        assert items.seq % n_leads == items.next_seq % n_leads == 0
        due = items.next_seq
        n_whole = len(items.frames) // n_leads
        assert n_whole >= 1
        if n_whole > 1 and not is_close:
            assert len(items.items) <= max_bytes
            assert len(items.frames) < n_frames + n_leads
        assert message.next_seq == due
        assert message.n_samples == n_samples_of(due // n_leads, make_header(n_leads))
    assert due == n_windows * n_leads
    assert is_close


def test_the_last_message_tells_the_samples_of_an_odd_end() -> None:
    messages: list[SealedMessage] = []
    sink = MessageSink(start(), lambda m: not messages.append(m))  # type: ignore[func-returns-value]
    writer = ContainerWriter(sink.stream, make_header())
    writer.write_frame(Frame(0, 0, 0, b"x"))
    writer.close(1234)
    assert messages[-1].n_samples == 1234
    assert messages[-1].is_last
    assert sink.is_over


def start(session: SessionId = SessionId(1, 0)) -> SessionStart:  # noqa: B008
    return SessionStart(
        device=KEYS.device,
        session=session,
        previous=PreviousSession(),
        key_id=1,
        key=KEYS.key,
    )


@pytest.mark.parametrize("n_leads", [1, 3])
def test_a_session_without_its_end_gives_what_came(n_leads: int) -> None:
    header = make_header(n_leads)
    sent = send_session(23, n_leads, n_frames=4)
    for n_parts in range(1, len(sent.sealed)):
        next_seq = sent.sealed[n_parts - 1].next_seq
        assert next_seq % n_leads == 0
        n_windows = next_seq // n_leads
        expected = write_file(sent.frames[:next_seq], header, n_windows)
        assert assemble(sent.parts()[:n_parts]) == expected


def test_a_session_with_a_hole_has_a_gap_there() -> None:
    sent = send_session(23, 3, n_frames=4)
    for missing in range(1, len(sent.sealed) - 1):
        parts = sent.parts()
        del parts[missing]
        lost = range(sent.sealed[missing - 1].next_seq, sent.sealed[missing].next_seq)
        found = read_all(assemble(parts))
        assert found is not None
        frames, reader = found
        kept = [frame for seq, frame in enumerate(sent.frames) if seq not in lost]
        assert frames == kept
        assert not reader.damage
        assert [(s.n_frames, s.window_idx) for s in reader.skipped] == [
            (len(lost), lost[0] // 3)
        ]
        assert reader.n_samples == n_samples_of(23, make_header(3))


def test_frames_that_the_encoder_leaves_out_stay_gaps() -> None:
    header = make_header(3)
    frames = make_frames(30, 3, is_left_out=lambda seq: seq % 11 < 4 or seq > 80)
    messages: list[SealedMessage] = []
    sink = MessageSink(start(), lambda m: not messages.append(m), n_frames=6)  # type: ignore[func-returns-value]
    writer = ContainerWriter(sink.stream, header)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples_of(30, header), 30)
    parts = [opened(message.data) for message in messages]
    assert assemble(parts) == write_file(frames, header, 30)


def test_an_encoder_writes_to_a_sink_as_to_a_file(
    codec: Codec, two_lead_recording: Recording
) -> None:
    rng = np.random.default_rng(1)
    messages: list[SealedMessage] = []
    sink = MessageSink(start(), lambda m: not messages.append(m), n_frames=1)  # type: ignore[func-returns-value]
    file = io.BytesIO()
    policy = Fixed(level="lossless")
    encoders = [
        codec.stream_encoder(two_lead_recording.info, stream, policy=policy)
        for stream in (sink.stream, file)
    ]
    at = 0
    while at < two_lead_recording.n_samples:
        block = two_lead_recording.samples[at : at + int(rng.integers(1, 4000))]
        for encoder in encoders:
            encoder.push(block)
        at += len(block)
    for encoder in encoders:
        encoder.flush()
    assert assemble([opened(m.data) for m in messages]) == file.getvalue()
    assert messages[-1].n_samples == two_lead_recording.n_samples


def test_cut_sends_early_all_but_the_last_window() -> None:
    messages: list[SealedMessage] = []
    sink = MessageSink(start(), lambda m: not messages.append(m), n_frames=99)  # type: ignore[func-returns-value]
    writer = ContainerWriter(sink.stream, make_header(3))
    frames = make_frames(4, 3)
    for frame in frames[:7]:
        writer.write_frame(frame)
    sink.cut()
    assert [message.next_seq for message in messages] == [0, 6]
    sink.cut()
    assert len(messages) == 2
    for frame in frames[7:]:
        writer.write_frame(frame)
    writer.close(n_samples_of(4, make_header(3)))
    parts = [opened(message.data) for message in messages]
    assert assemble(parts) == write_file(frames, make_header(3), 4)


def test_what_finds_no_room_waits_in_order_and_is_not_sealed_twice() -> None:
    rng = random.Random(4)
    taken: list[SealedMessage] = []
    has_room = False

    def store(message: SealedMessage) -> bool:
        if has_room and rng.random() < 0.7:
            taken.append(message)
            return True
        return False

    sink = MessageSink(start(), store, n_frames=2)
    writer = ContainerWriter(sink.stream, make_header())
    frames = make_frames(9)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples_of(9, make_header()))
    assert not taken
    assert sink.is_blocked
    assert not sink.retry()
    has_room = True
    while not sink.retry():
        pass
    assert not sink.is_blocked
    assert [m.message.number for m in taken] == list(range(sink.n_messages))
    parts = [opened(message.data) for message in taken]
    assert assemble(parts) == write_file(frames, make_header(), 9)


def test_a_sink_that_is_over_takes_no_more() -> None:
    sink = MessageSink(start(), lambda _: True)
    writer = ContainerWriter(sink.stream, make_header())
    writer.close(0)
    with pytest.raises(ConfigError, match="new one"):
        sink.write(b"\0\0\0\0\0")
    with pytest.raises(ConfigError, match="at least"):
        MessageSink(start(), lambda _: True, n_frames=0)


def ends_of_frames(frames: list[Frame]) -> list[int]:
    """Where frames end in a body whose sequence number takes one byte."""
    lengths = [frame_len(frame.level_id, len(frame.payload)) for frame in frames]
    return [1 + length for length in itertools.accumulate(lengths)]


def test_a_body_is_checked_as_the_file_is() -> None:
    sent = send_session(6, n_frames=3)
    parts = sent.parts()
    _, header = unpack_open(parts[0].body)
    for part in parts[1:]:
        is_close = part.kind == Kind.CLOSE
        for at in range(len(part.body)):
            for value in (part.body[at] ^ 1, part.body[at] ^ 0x80):
                with pytest.raises(FormatError):
                    unpack_items(
                        with_byte(part.body, at, value), header, is_close=is_close
                    )
            if not is_close and at in ends_of_frames(sent.frames[:3]):
                continue  # whole frames, fewer of them
            with pytest.raises(FormatError):
                unpack_items(part.body[:at], header, is_close=is_close)
        with pytest.raises(FormatError):
            unpack_items(part.body + b"\0", header, is_close=is_close)
        with pytest.raises(CorruptError):
            unpack_items(part.body, header, is_close=not is_close)


def test_an_open_body_is_checked_too() -> None:
    body = send_session().parts()[0].body
    for at in range(len(body)):
        with pytest.raises(FormatError):
            unpack_open(body[:at])
    for at in range(20, len(body)):
        with pytest.raises(FormatError):
            unpack_open(with_byte(body, at, body[at] ^ 4))
    with pytest.raises(FormatError):
        unpack_open(body + b"\0")


def test_nothing_is_assembled_without_a_header_or_out_of_order() -> None:
    parts = send_session().parts()
    for wrong in ([], parts[1:]):
        with pytest.raises(CorruptError, match="header"):
            assemble(wrong)
    swapped = [parts[0], Part(1, *parts[2][1:]), Part(2, *parts[1][1:])]
    with pytest.raises(CorruptError, match="follow"):
        assemble(swapped)
