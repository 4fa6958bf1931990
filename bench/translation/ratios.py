"""Runs the benchmark of translations and prints each as a multiple of the pass-through of the same kind.

    python3 bench/translation/ratios.py build/bench/concurred_translation_benchmark
"""

import json
import statistics
import subprocess
import sys

run = subprocess.run([sys.argv[1], "--benchmark_repetitions=9", "--benchmark_enable_random_interleaving=true",
                      "--benchmark_min_time=0.1", "--benchmark_format=json"], stdout=subprocess.PIPE, check=True)
times = {}
for one in json.loads(run.stdout)["benchmarks"]:
    if one["run_type"] == "iteration":
        times.setdefault(one["run_name"], []).append(1e9 / one["items_per_second"])
medians = {name: statistics.median(values) for name, values in times.items()}
for name, ns in medians.items():
    kind = name.split("/")[0]
    print(f"{name:26} {ns:7.1f} ns per event, {ns / medians[kind + '/pass-through']:4.1f} x")
