"""How long many workers take for many tickets, with stragglers and failures: `python simulate.py --help`.

A plain model: each worker starts, loads the model, and takes one partition after the other. It may be slow all the time
(another program beside it, an older processor). It may die, which costs the partition that it had begun and the time
until another one is there. The defaults are measured values (docs/how-to/scale.md).
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """`workers` of one core each. Times are in seconds.

    `rate` is tickets a second, `load` the time until a worker is ready, `overhead` what a partition costs besides its
    tickets. The share `slow` of the workers is `slowness` times as slow. A worker dies after `lifetime` seconds on
    average (0: never), and another one is there after `restart` seconds.
    """

    workers: int = 64
    rate: float = 140.0
    load: float = 5.0
    overhead: float = 0.02
    slow: float = 0.0
    slowness: float = 3.0
    lifetime: float = 0.0
    restart: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """`seconds` until the last partition is done, `busy` core seconds, `lost` core seconds for work that died."""

    seconds: float
    busy: float
    lost: float
    deaths: int
    done: int


def simulate(tickets: int, size: int, cluster: Cluster, *, seed: int = 0) -> Outcome:
    """One job of so many tickets in partitions of `size`."""
    chance = random.Random(seed)  # noqa: S311  # a model has no secrets
    sizes = [size] * (tickets // size) + ([tickets % size] if tickets % size else [])
    waiting = list(reversed(sizes))
    pace = [cluster.slowness if worker < cluster.slow * cluster.workers else 1.0 for worker in range(cluster.workers)]
    # When each worker is free, and when it dies.
    free = [(cluster.load * pace[worker], worker) for worker in range(cluster.workers)]
    dies = [_lifetime(cluster, chance) for _ in range(cluster.workers)]
    heapq.heapify(free)
    busy = sum(at for at, _ in free)
    lost, deaths, done, end = 0.0, 0, 0, 0.0
    while waiting:
        now, worker = heapq.heappop(free)
        part = waiting.pop()
        takes = (part / cluster.rate + cluster.overhead) * pace[worker]
        if now + takes > dies[worker]:
            deaths += 1
            spent = max(dies[worker] - now, 0.0)
            lost, busy = lost + spent, busy + spent + cluster.load * pace[worker]
            waiting.append(part)
            back = now + spent + cluster.restart + cluster.load * pace[worker]
            dies[worker] = back + _lifetime(cluster, chance)
            heapq.heappush(free, (back, worker))
            continue
        busy, done, end = busy + takes, done + 1, max(end, now + takes)
        heapq.heappush(free, (now + takes, worker))
    return Outcome(end, busy, lost, deaths, done)


def _lifetime(cluster: Cluster, chance: random.Random) -> float:
    return chance.expovariate(1 / cluster.lifetime) if cluster.lifetime else float("inf")


def main() -> None:
    """Print one line for each size of a partition."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=10_000_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2_000, 10_000, 50_000, 200_000])
    parser.add_argument("--price", type=float, default=0.04, help="US dollars for an hour of a core")
    for name, value in vars(Cluster()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    options = parser.parse_args()
    cluster = Cluster(**{name: getattr(options, name) for name in vars(Cluster())})
    print(f"{'partition':>9} {'hours':>7} {'core-hours':>10} {'USD':>8} {'busy':>6} {'lost':>6} {'deaths':>6}")
    for size in options.sizes:
        found = simulate(options.tickets, size, cluster)
        paid = found.seconds * cluster.workers / 3600
        share, lost = found.busy / (found.seconds * cluster.workers), found.lost / found.busy
        print(
            f"{size:>9,} {found.seconds / 3600:>7.2f} {paid:>10.1f} {paid * options.price:>8.2f} "
            f"{share:>6.1%} {lost:>6.1%} {found.deaths:>6}"
        )


if __name__ == "__main__":
    main()
