"""``python -m authx_contract``."""

import os
import sys

from authx_contract import running
from authx_contract.cli import main

if __name__ == "__main__":
    code = main()
    if running.hung:  # the interpreter would wait for them
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
