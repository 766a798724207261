"""``python -m authx_core.contract``."""

import os
import sys

from authx_core.contract import running
from authx_core.contract.cli import main

if __name__ == "__main__":
    code = main()
    if running.hung:  # the interpreter would wait for them
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
