"""Engines: whatever can write solutions and weigh labels. See `engines.base.Engine`."""
