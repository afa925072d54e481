"""`python -m ser_core <command>`."""

import sys

from ser_core.cli import main

sys.exit(main())
