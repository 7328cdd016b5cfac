"""Rules of when enough has been sampled, which ask a supply for candidates and scores, and choose."""
