"""For `dask worker --preload`: a worker with another version of this program."""

import ticketattr


def dask_setup(worker: object) -> None:
    """What Dask calls before a worker starts."""
    ticketattr.__version__ = "99.0"
