"""Threads are preempted in code of the adapter, and nowhere else."""

from __future__ import annotations

import asyncio
from types import ModuleType

import pytest
import sqlalchemy

from authx_adapters import clock, memory
from authx_contract.probes import races
from authx_contract.samples import users
from authx_core.domain import user


@pytest.mark.parametrize("module", [clock, memory, sqlalchemy], ids=lambda module: module.__name__)
def test_adapters_and_drivers_are_preempted(module: ModuleType) -> None:
    assert races.may_belong_to_the_adapter(str(module.__file__))


@pytest.mark.parametrize("module", [asyncio, races, user, users], ids=lambda module: module.__name__)
def test_the_suite_the_core_and_the_standard_library_are_not_preempted(module: ModuleType) -> None:
    assert not races.may_belong_to_the_adapter(str(module.__file__))
