"""Starts a worker: `python mooring_worker/__main__.py <channel fd> <lifeline fd> <page fd>`."""

import os
import sys

# Not this folder itself: its modules must not be importable by their bare names from a scoring script.
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:1] = [here, os.path.join(here, "shims")]

from mooring_worker.worker import main  # noqa: E402

main(*map(int, sys.argv[1:4]))
