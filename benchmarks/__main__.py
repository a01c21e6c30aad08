"""`make bench`: tables of measurements, one after the other; `python -m benchmarks bias --help` for one of them."""

from __future__ import annotations

import sys

SUITES = ("bias", "intervals", "flip_test", "explain", "importance", "trees", "orchestrators")


def main(arguments: list[str]) -> None:
    """Runs the suite that is named first, with the arguments after it, or every suite."""
    from benchmarks import bias, explain, flip_test, importance, intervals, orchestrators, trees

    if arguments and arguments[0] in SUITES:
        sys.argv = [f"benchmarks {arguments[0]}", *arguments[1:]]
        suites = dict(zip(SUITES, (bias, intervals, flip_test, explain, importance, trees, orchestrators), strict=True))
        suites[arguments[0]].main()
        return
    if arguments and arguments != ["--small"]:
        sys.exit(f"There is no suite {arguments[0]!r}; there are {' and '.join(SUITES)}.")
    sys.argv = ["benchmarks", *arguments]
    bias.main()
    if not arguments:
        print()
        intervals.main([])
        print()
        flip_test.main([])
        print()
        explain.main([])
        print()
        importance.main()
        print()
        trees.main([])
        print()
        orchestrators.main([])


if __name__ == "__main__":
    main(sys.argv[1:])
