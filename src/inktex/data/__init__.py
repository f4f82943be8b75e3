"""Data sets: readers of what circulates in the field, and the Parquet files everything else works on."""
