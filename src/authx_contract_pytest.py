"""What pytest loads at its start: nothing, until a test module holds contract tests.

It stands beside `authx_core`, since a plugin within would have every run of pytest import the whole core.
"""

from __future__ import annotations

import sys
from typing import Any


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> object:  # noqa: ARG001 - pytest's names
    """Collect what `authx_contract.contract_tests` made, by whatever name it has."""
    if "authx_contract.declared" not in sys.modules:
        return None
    from authx_contract.declared import ContractTests  # noqa: PLC0415 - it is there already

    if not isinstance(obj, ContractTests):
        return None
    from authx_contract.pytest_view import adapter_tests  # noqa: PLC0415 - only now is it needed

    return adapter_tests(collector, obj)
