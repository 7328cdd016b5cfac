"""Stages: each reads records, writes records, and knows no other stage. See `stages.base.Stage`."""
