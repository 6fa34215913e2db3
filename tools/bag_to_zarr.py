"""Convert recorded episodes to a zarr data set.

python tools/bag_to_zarr.py out/episodes --spec demo --output out/demo/dataset.zarr
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skillet_core.errors import SkilletError
from skillet_core.policy_spec import load_policy_spec
from skillet_data.bag_to_zarr import convert
from skillet_data.episode import PARTIAL, is_finished, list_episodes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Convert recorded episodes to a zarr data set.")
    parser.add_argument("episodes", nargs="+", type=Path, help="episode folders, or folders that hold them")
    parser.add_argument("--spec", default="demo", help="policy spec: a name in policies/specs or a YAML file")
    parser.add_argument("--output", type=Path, required=True, help="data set to create, e.g. out/blocks.zarr")
    parser.add_argument("--failed", action="store_true", help="include episodes whose task failed")
    parser.add_argument("--partial", action="store_true", help="include episodes that were never finished")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    options = _parser().parse_args(arguments)
    folders: list[Path] = []
    for path in options.episodes:
        if is_finished(path) or path.suffix == PARTIAL:
            folders.append(path)
        else:
            folders += list_episodes(path, partial=options.partial)
    try:
        report = convert(
            folders,
            load_policy_spec(options.spec),
            options.output,
            failed=options.failed,
            partial=options.partial,
            progress=lambda path: print(f"reading {path.name}", file=sys.stderr),
        )
    except SkilletError as error:
        print(f"bag_to_zarr: {error}", file=sys.stderr)
        return 1
    for excluded in report.excluded:
        print(f"left out {excluded.episode.name}: {excluded.reason}", file=sys.stderr)
    print(f"{report.output}: {len(report.rows)} episodes, {sum(report.rows.values())} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
