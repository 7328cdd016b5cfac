"""mathquorum: fine-tune, sample, cluster, vote and re-rank (arXiv 2310.10047)."""

__version__ = "0.1.0"
