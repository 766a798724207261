"""A timeout or a cancellation ends an asynchronous call even if its driver swallows cancellations."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from authx_adapters.common.timeouts import in_time


class Stubborn:
    """A call that never ends by itself, and swallows the first cancellations."""

    def __init__(self, *, swallows: int) -> None:
        self._swallows = swallows
        self.ended = asyncio.Event()

    async def __call__(self) -> None:
        for _ in range(self._swallows):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.mark.parametrize("within", [None, 60])
@pytest.mark.parametrize("swallows", [0, 1])
async def test_a_cancelled_caller_does_not_wait_and_its_call_ends(within: float | None, swallows: int) -> None:
    call = Stubborn(swallows=swallows)
    caller = asyncio.create_task(in_time(call(), within))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await caller
        await call.ended.wait()


async def test_a_call_that_swallows_its_cancellation_times_out() -> None:
    with pytest.raises(TimeoutError):
        await in_time(Stubborn(swallows=1)(), 0.01)


async def test_an_error_of_a_call_is_raised_unchanged() -> None:
    async def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await in_time(fails(), None)
