"""`python -m ser_core <command>`."""

import sys

from ser_core import stopping
from ser_core.cli import main

if __name__ == "__main__":
    stopping.listen()
    sys.exit(main())
