"""A timeout and a cancellation end an asynchronous call even if its driver does not cooperate."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from authx_adapters.common.timeouts import in_time


class Stubborn:
    """A call that never ends by itself, and loses the first cancellations."""

    def __init__(self, *, loses: int) -> None:
        self._loses = loses
        self.ended = asyncio.Event()

    async def __call__(self) -> None:
        for _ in range(self._loses):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.mark.parametrize("within", [None, 60])
@pytest.mark.parametrize("loses", [0, 1])
async def test_a_cancelled_caller_goes_on_and_its_call_ends(within: float | None, loses: int) -> None:
    call = Stubborn(loses=loses)
    caller = asyncio.create_task(in_time(call(), within))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await caller
        await call.ended.wait()


async def test_a_call_that_loses_its_cancellation_times_out() -> None:
    with pytest.raises(TimeoutError):
        await in_time(Stubborn(loses=1)(), 0.01)


async def test_an_error_of_a_call_is_raised_as_it_is() -> None:
    async def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await in_time(fails(), None)
