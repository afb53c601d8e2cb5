"""Run by the Python of empyrical's environment: value at risk and expected shortfall of what a file holds, timed.

python empyrical_tail.py FILE.npz REPEATS
"""

import json
import sys
import time

import empyrical  # type: ignore[import-not-found]
import numpy as np

held = np.load(sys.argv[1])
exposures, returns, cutoff = held["exposures"], held["returns"], 1 - float(held["confidence"])
took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter_ns()
    profits = exposures @ returns
    var, es = -empyrical.value_at_risk(profits, cutoff), -empyrical.conditional_value_at_risk(profits, cutoff)
    took.append(time.perf_counter_ns() - began)
print(json.dumps({"var": float(var), "es": float(es), "took_ns": took, "version": empyrical.__version__}))
