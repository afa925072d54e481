"""`python -m ser_core <command>`."""

import sys

from ser_core import interrupts
from ser_core.cli import main

if __name__ == "__main__":
    interrupts.listen()
    sys.exit(main())
