"""Run all benchmarks, print a table, write results.json and docs/results.md."""

from __future__ import annotations

import argparse
import sys

from benchmarks import files, inpainting, report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    parser.add_argument("--only", choices=["files", "inpainting"], help="print one group only")
    args = parser.parse_args()
    rows = []
    for group in (files, inpainting):
        if args.only in (None, group.__name__.partition(".")[2]):
            found = group.run()
            print(report.table(found), flush=True)
            rows += found
    if not args.dry and args.only is None:
        report.save(rows)
    return 0 if all(row.ok is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
