"""``python -m authx_contract``."""

import os
import sys

from authx_contract.verdict.run import hung
from authx_contract.views.cli import main

if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in `… list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141  # what a shell says of a program that ended so
    if hung:  # at exit, the interpreter would wait for these threads
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
