"""The ports made executable: a suite that verifies any adapter of a port.

    class MyRedis(Harness):
        name = "my-redis"
        capabilities = Capabilities(clock="server")
        async def open_cache(self, clock): return MyCache(client())
        async def reset(self): ...
        async def rewind(self, by): ...

    TestMyRedis = contract_tests(MyRedis)

pytest then shows one test for each clause; ``python -m authx_contract verify my_package.harness:MyRedis`` gives a
verdict. See `Harness` for what an author writes, and `verify` for running the suite from a program.
"""

from authx_contract.basics.violation import CannotRun, Violation
from authx_contract.capabilities import Capabilities, Waiver
from authx_contract.clause import Clause
from authx_contract.harness import Harness
from authx_contract.never_suspends import never_suspends
from authx_contract.registry import all_clauses
from authx_contract.stepped_clock import SteppedClock
from authx_contract.verdict.outcome import Outcome, Status
from authx_contract.verdict.report import Report, Verdict
from authx_contract.verdict.run import run_clause
from authx_contract.verdict.verify import verify
from authx_contract.views.pytest import contract_tests

__all__ = [
    "CannotRun",
    "Capabilities",
    "Clause",
    "Harness",
    "Outcome",
    "Report",
    "Status",
    "SteppedClock",
    "Verdict",
    "Violation",
    "Waiver",
    "all_clauses",
    "contract_tests",
    "never_suspends",
    "run_clause",
    "verify",
]
