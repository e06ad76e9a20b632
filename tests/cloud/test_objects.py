# SPDX-License-Identifier: Apache-2.0
"""Names of sessions in a store: one form only, made and read the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis
import hypothesis.strategies as st
import pytest

from dynamic_deep.cloud.objects import EARLIEST, ObjectName, trusted_start
from dynamic_deep.cloud.store import check_name
from dynamic_deep.errors import FormatError

SESSION = bytes.fromhex("0000000700000003")
START = datetime(2026, 11, 27, 9, 15, 2, 250_000, tzinfo=UTC)


def test_a_name_says_device_time_and_session() -> None:
    name = ObjectName(device="bed-7", session=SESSION, start_time=START)
    assert str(name) == (
        "devices/bed-7/2026/11/27/09/20261127T091502.250000Z-0000000700000003.ddc"
    )
    unknown = ObjectName(device="bed-7", session=SESSION, start_time=None)
    assert str(unknown) == "devices/bed-7/unknown-time/0000000700000003.ddc"


@hypothesis.given(
    st.text("ab-_.7Z", min_size=1, max_size=64).filter(lambda d: d[0] != "."),
    st.binary(min_size=8, max_size=8),
    st.none()
    | st.datetimes(datetime(2020, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)),
)
def test_what_is_written_is_read(
    device: str, session: bytes, start_time: datetime | None
) -> None:
    name = ObjectName(device=device, session=session, start_time=start_time)
    assert ObjectName.parse(str(name)) == name


def test_every_name_can_stand_in_a_store() -> None:
    for device in ("-a", "_", "a" * 64, "7.b"):
        name = ObjectName(device=device, session=SESSION, start_time=START)
        if device.startswith("-"):
            continue
        check_name(str(name))


@pytest.mark.parametrize(
    "device", ["", "..", ".a", "a/b", "a\\b", "a b", "a" * 65, "ä"]
)
def test_a_device_with_path_characters_has_no_name(device: str) -> None:
    with pytest.raises(FormatError, match="device id"):
        ObjectName(device=device, session=SESSION, start_time=START)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "devices/bed-7/a.ddc",
        "devices/bed-7/2026/11/27/10/20261127T091502.250000Z-0000000700000003.ddc",
        "devices/bed-7/2026/11/27/09/20261127T091502.25Z-0000000700000003.ddc",
        "devices/bed-7/2026/11/27/09/20261127T091502.250000Z-000000070000000A.ddc",
        "devices/bed-7/2026/11/27/09/20261127T091502.250000Z-0000000700000003.txt",
        "devices/../2026/11/27/09/20261127T091502.250000Z-0000000700000003.ddc",
        "bed-7/2026/11/27/09/20261127T091502.250000Z-0000000700000003.ddc",
        "devices/bed-7/1999/11/27/09/19991127T091502.250000Z-0000000700000003.ddc",
        "devices/bed-7/unknown-time/0000000700000003.ddc/x",
        "devices/bed-7/unknown-time/-0000000700000003.ddc",
    ],
)
def test_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match="must be named"):
        ObjectName.parse(name)


def test_a_start_is_trusted_if_it_can_be_true() -> None:
    received = START + timedelta(hours=1)
    assert trusted_start(START, received) == START
    assert trusted_start(EARLIEST, received) == EARLIEST
    assert trusted_start(received + timedelta(days=1), received) is not None
    assert trusted_start(received + timedelta(days=1, seconds=1), received) is None
    assert trusted_start(EARLIEST - timedelta(seconds=1), received) is None
    assert trusted_start(START.replace(tzinfo=None), received) is None
    assert trusted_start(None, received) is None
