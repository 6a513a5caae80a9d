"""Queues of many partitions: the folder that the hosts share, and workers elsewhere."""
