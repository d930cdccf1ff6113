"""Measure the time that `import course_lib` adds to `import torch`, in several fresh processes.

Run with `python -m benchmarks.import_time`.
"""

import argparse
import statistics
import subprocess
import sys

TARGET = 0.15  # seconds
TIMED = """
import sys, time
start = time.perf_counter()
import torch
between = time.perf_counter()
{statement}
print(between - start, time.perf_counter() - between)
heavy = sorted({{"matplotlib", "ipywidgets", "transformers"}} & set(sys.modules))
assert not heavy, f"loaded as well: {{heavy}}"
"""


def seconds(statement: str) -> tuple[float, float]:
    """The time that a new Python takes for `import torch`, and then for this statement."""
    command = [sys.executable, "-c", TIMED.format(statement=statement)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    torch_only, added = map(float, output.split())
    return torch_only, added


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="fresh processes for each statement")
    rounds = parser.parse_args().rounds
    seconds("import course_lib.transformer.models")  # writes the compiled files, as any first start does
    worst = 0.0
    for statement in ("import course_lib", "import course_lib.transformer.models"):
        runs = [seconds(statement) for _ in range(rounds)]
        torch_only, added = (statistics.median(column) for column in zip(*runs, strict=True))
        ratio = statistics.median((torch_time + more) / torch_time for torch_time, more in runs)
        worst = max(worst, added)
        print(f"{statement:24} adds {added:.3f} s to import torch's {torch_only:.2f} s, ratio {ratio:.3f}")
    print(f"at most {worst:.3f} s, target: below {TARGET} s")
    return 0 if worst < TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
