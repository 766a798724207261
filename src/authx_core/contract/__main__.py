"""``python -m authx_core.contract``."""

import sys

from authx_core.contract.cli import main

if __name__ == "__main__":
    sys.exit(main())
