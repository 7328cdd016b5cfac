"""The engine that starts `vllm serve` in an environment of its own, asks it as any other server, and ends it. Start at `settings.py`."""
