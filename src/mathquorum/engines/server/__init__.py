"""The engine that asks a server far away, or next door, that speaks the OpenAI protocol. Start at `settings.py`."""
