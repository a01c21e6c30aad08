"""`make bench`: every table of measurements, one after the other."""

from __future__ import annotations

from benchmarks import counts, explain, flip_test

if __name__ == "__main__":
    counts.main()
    print()
    flip_test.main()
    print()
    explain.main()
