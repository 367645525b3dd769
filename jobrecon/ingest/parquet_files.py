"""Parquet files, read in columns."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from jobrecon.errors import InputError
from jobrecon.ingest.staging import TASK_COLUMNS, stage_columns

BATCH_ROWS = 200_000


def read_parquet(source: str, path: Path, required: tuple[str, ...], columns: Mapping[str, str]) -> Iterator[pa.Table]:
    """The rows of a Parquet file as parts of `staged_import`. Raises `InputError` where it cannot be read."""
    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source} is no Parquet file that can be read: {_first_line(error)}. Nothing of it was imported.") from None
    with file:
        plain = {name: name.strip().lower() for name in file.schema_arrow.names}
        names = {ours: name for name, ours in plain.items()} | {columns[ours]: name for name, ours in plain.items() if ours in columns}
        if missing := [name for name in required if name not in names]:
            raise InputError(
                f"{source} has no column {', '.join(missing)} (its columns: {', '.join(plain)[:300]}). Nothing of it was imported. "
                "Add the column, or name the one that stands for it with --map."
            )
        wanted = {ours: names[ours] for ours in TASK_COLUMNS if ours in names}
        number = 0
        try:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(wanted.values())):
                batch.validate(full=True)
                lines = pa.array(range(number + 1, number + 1 + len(batch)), pa.int64())
                yield from stage_columns(source, {ours: batch.column(name) for ours, name in wanted.items()}, lines)
                number += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{source} is broken after row {number}: {_first_line(error)}. What was imported is not added twice; "
                "correct the file and import it again."
            ) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
