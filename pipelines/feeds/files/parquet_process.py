"""Parquet read in a process of its own: a damaged file can end the process that reads it (pyarrow 16, by SIGSEGV, on
some flipped bytes), and must not end ours.

As a program: `python -m pipelines.feeds.files.parquet_process FILE [ROWS COLUMN...]` writes, as one Arrow stream, the
schema alone, or the batches of some columns, each looked through before.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet


class ParquetError(ValueError):
    """Why a file cannot be read, or be read further."""


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a file. Raises ParquetError."""
    with _reader(path, []) as process:
        return tuple(_opened(process).schema.names)


def batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Some columns of a file, `rows` at a time. Raises ParquetError where it breaks off, after all before."""
    with _reader(path, [str(rows), *columns]) as process:
        try:
            stream = _opened(process)
            while True:
                try:
                    yield stream.read_next_batch()
                except StopIteration:
                    break
                except (pa.ArrowException, OSError) as error:
                    raise ParquetError(_why(process)) from error
            if process.wait() != 0:
                raise ParquetError(_why(process))
        finally:
            process.kill()


def _reader(path: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __name__, str(path.absolute()), *arguments]
    folder = Path(__file__).resolve().parents[3]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _opened(process: subprocess.Popen[bytes]) -> pa.RecordBatchReader:
    try:
        return pa.ipc.open_stream(process.stdout)
    except (pa.ArrowException, OSError) as error:
        raise ParquetError(_why(process)) from error


def _why(process: subprocess.Popen[bytes]) -> str:
    if process.stdout:
        process.stdout.close()  # one that still writes ends so
    said = process.stderr.read().decode(errors="replace").split() if process.stderr else []
    process.wait()
    if process.returncode and process.returncode < 0:
        return f"damaged: its reader ended by signal {-process.returncode}"
    return " ".join(said)[:200] or "damaged"


def main(arguments: Sequence[str]) -> int:
    """Write a file as an Arrow stream to stdout; 1, and why on stderr, where that fails."""
    path, *asked = arguments
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = (
                file.schema_arrow if not asked else pa.schema([file.schema_arrow.field(name) for name in asked[1:]])
            )
            with pa.ipc.new_stream(sys.stdout.buffer, wanted) as stream:
                for batch in file.iter_batches(batch_size=int(asked[0]), columns=asked[1:]) if asked else ():
                    batch.validate(full=True)
                    stream.write_batch(batch.select(wanted.names))
    except BrokenPipeError:
        return 0
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError, OverflowError) as error:
        print(" ".join(str(error).split())[:500], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
