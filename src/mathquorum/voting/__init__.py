"""The vote on solutions that someone already has: read, cluster, choose, measure. No model and no torch."""

from __future__ import annotations

from mathquorum.voting.measured import Measured, measure_run, measure_samples
from mathquorum.voting.pools import ReadPools, VotePool, read_pools

__all__ = ["Measured", "ReadPools", "VotePool", "measure_run", "measure_samples", "read_pools"]
