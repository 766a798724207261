"""``python -m authx_contract``."""

import os
import sys

from authx_contract.verdict.run import hung
from authx_contract.views.cli import main

if __name__ == "__main__":
    code = main()
    if hung:  # at exit, the interpreter would wait for these threads
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
