"""Limit: the script's own loop over the files, its lines written to one file. Arguments: script, folder, files of a mini-batch, output."""

import importlib.util
import json
import os
import sys
import time

script, folder, size, output = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
spec = importlib.util.spec_from_file_location("bare", script)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.init()
started, cpu_started = time.perf_counter(), time.process_time()
paths = sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)
with open(output, "w") as out:
    for first in range(0, len(paths), size):
        for line in module.run(paths[first : first + size]):
            out.write(line + "\n")
    out.flush()
    os.fsync(out.fileno())
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
print(json.dumps({"items": len(paths), "seconds": seconds, "cpuSeconds": cpu_seconds}))
