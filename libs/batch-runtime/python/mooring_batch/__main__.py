"""Starts a process of a job: `python mooring_batch/__main__.py <folder of mooring_worker> <channel fd> <lifeline fd>`."""

import os
import sys

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Not the folder of this file: its modules must not be importable by their bare names from a scoring script.
sys.path[:1] = [here, sys.argv[1]]

from mooring_batch.driver import main  # noqa: E402

main(here, *map(int, sys.argv[2:4]))
