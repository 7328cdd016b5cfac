"""`python -m mathquorum`, for launchers that start modules."""

from __future__ import annotations

from mathquorum.cli import main

if __name__ == "__main__":
    main()
