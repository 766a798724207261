"""A sweep cancels an operation at each await, and reports how it ended."""

from __future__ import annotations

import asyncio

from authx_contract.probes.sweep import sweep


async def test_each_await_is_cancelled_once_and_the_last_run_completes() -> None:
    seen: list[list[int]] = []

    async def operate() -> str:
        for step in range(3):
            await asyncio.sleep(0.001 * step)
            seen[-1].append(step)
        return "done"

    async def prepare() -> None:
        seen.append([])

    cuts = [cut async for cut in sweep(operate, prepare)]
    assert seen == [[], [0], [0, 1], [0, 1, 2]]
    assert [(cut.cancelled, cut.through, cut.on_the_wire) for cut in cuts] == [
        (True, False, False),
        (True, False, True),
        (True, False, True),
        (False, True, False),
    ]
    assert cuts[-1].result == "done"


async def test_a_sweep_waits_for_pending_work_and_keeps_the_error() -> None:
    landed: list[str] = []

    async def operate() -> None:
        asyncio.get_running_loop().call_later(0.01, landed.append, "sent")
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise OSError("driver") from None

    cut = await anext(sweep(operate))
    assert landed == ["sent"]
    assert isinstance(cut.error, OSError)
    assert not cut.cancelled
