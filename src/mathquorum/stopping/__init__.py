"""When enough has been sampled: rules that ask a supply for candidates and scores, and choose."""
