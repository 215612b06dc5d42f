"""`python -m hub` is `scorehub`."""

from hub.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
