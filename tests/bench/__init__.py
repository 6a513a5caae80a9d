"""`nox -s bench`: how long things take, as ratios against a baseline measured in the same run."""
