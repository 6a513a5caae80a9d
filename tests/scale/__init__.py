"""Partitions on a real Dask cluster of processes, which are killed: `nox -s scale`."""
