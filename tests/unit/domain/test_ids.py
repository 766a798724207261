"""Ids sort by their time of creation."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from authx_core import uuid7_text

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001 - hypothesis adds the zone


@given(INSTANTS, st.timedeltas(timedelta(microseconds=1), timedelta(days=365)))
def test_a_later_id_is_greater_to_the_microsecond(instant: datetime, step: timedelta) -> None:
    assert uuid7_text(instant) < uuid7_text(instant + step)


@given(INSTANTS)
def test_an_id_is_a_version_7_uuid_that_holds_its_millisecond(instant: datetime) -> None:
    made = uuid.UUID(uuid7_text(instant))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == (instant - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def test_ids_of_one_instant_differ() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert len({uuid7_text(now) for _ in range(1000)}) == 1000
