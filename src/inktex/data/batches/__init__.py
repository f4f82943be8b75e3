"""Training batches: samples drawn anew, put together by size and padded."""
