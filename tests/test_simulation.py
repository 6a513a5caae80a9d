"""The model of many workers in `examples/scale/simulate.py`, which docs/how-to/scale.md quotes."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from .conftest import EXAMPLES


@pytest.fixture(scope="module")
def model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate", EXAMPLES / "scale" / "simulate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate"] = module
    spec.loader.exec_module(module)
    return module


def test_without_failures_all_partitions_of_all_workers_take_the_same_time(model: ModuleType) -> None:
    cluster = model.Cluster(workers=4, rate=100.0, load=5.0, overhead=0.5)
    found = model.simulate(8_000, 1_000, cluster)
    assert found.seconds == pytest.approx(5 + 2 * (10 + 0.5))
    assert (found.done, found.deaths, found.lost) == (8, 0, 0)
    assert found.busy == pytest.approx(4 * found.seconds)


def test_a_partition_that_does_not_fill_up_counts_by_its_tickets(model: ModuleType) -> None:
    found = model.simulate(1_500, 1_000, model.Cluster(workers=1, rate=100.0, load=0.0, overhead=0.0))
    assert found.seconds == pytest.approx(15)


def test_every_partition_is_done_once_however_many_workers_die(model: ModuleType) -> None:
    cluster = model.Cluster(workers=8, lifetime=100.0, restart=10.0)
    found = model.simulate(400_000, 2_000, cluster)
    assert found.done == 200
    assert found.deaths > 5
    assert found.seconds > model.simulate(400_000, 2_000, replace(cluster, lifetime=0.0)).seconds


def test_slow_workers_cost_most_where_partitions_are_large(model: ModuleType) -> None:
    slow = model.Cluster(workers=64, slow=0.05)
    small, large = (model.simulate(10_000_000, size, slow).seconds for size in (2_000, 50_000))
    assert large > 1.15 * small


def test_the_same_seed_gives_the_same_job(model: ModuleType) -> None:
    cluster = model.Cluster(workers=8, lifetime=100.0)
    assert model.simulate(100_000, 1_000, cluster, seed=3) == model.simulate(100_000, 1_000, cluster, seed=3)
