"""Makes the Parquet files beside it: `python build.py`, with pyarrow 26 and numpy 2.4."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

here = os.path.dirname(os.path.abspath(__file__))
names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def columns(rows):
    kinds = np.array([[5.1, 3.5, 1.4, 0.2], [5.9, 3.0, 4.2, 1.5], [6.3, 3.3, 6.0, 2.5]])
    return np.round(kinds[np.arange(rows) % 3] + (np.arange(rows) % 10)[:, None] / 100, 3).astype(np.float32)


def write(name, table, **options):
    pq.write_table(table, os.path.join(here, name), **options)


values = columns(300)
plain = {column: values[:, index] for index, column in enumerate(names)}
table = pa.table({**plain, "id": np.arange(300)}).select(["id", *names[::-1]])
for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    write(f"{codec}.parquet", table, compression=codec, row_group_size=100)
write("pages-v2.parquet", table, data_page_version="2.0", compression="zstd", row_group_size=100)
write("split.parquet", pa.table(plain), use_dictionary=False, column_encoding={name: "BYTE_STREAM_SPLIT" for name in names})
write("doubles.parquet", pa.table({name: column.astype(np.float64) for name, column in plain.items()}), row_group_size=1000)
write("whole.parquet", pa.table({name: np.arange(9, dtype=kind) for name, kind in zip(names, ("int8", "int64", "uint32", "int16"))}))
holes = {name: [float(value) for value in column[:6]] for name, column in plain.items()}
holes["petal_width"][1] = None
holes["petal_width"][4] = float("nan")
write("holes.parquet", pa.table({name: pa.array(column, pa.float32()) for name, column in holes.items()}))
write("lists.parquet", pa.table({"input": pa.array([row.tolist() for row in values[:6]] + [[1.0, 2.0], None], pa.list_(pa.float32()))}))
write("texts.parquet", pa.table({name: ["a", "b"] for name in names}))
write("no-rows.parquet", table.slice(0, 0))
