"""What repositories, files, branches and tags may be called. Whatever else is asked for is refused.

Names of repositories become folders on this disk. Paths of files never do here, but they do at
whoever downloads them.
"""

from __future__ import annotations

import re
import unicodedata

KINDS = ("model", "space")
RESERVED = ("api", "models", "spaces", "datasets")  # what addresses begin with

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HASH = re.compile(r"[0-9a-f]{40}")
_MAX_PATH_BYTES = 1024


def fault_of_name(name: object) -> str:
    """Why `name` cannot be a user's or a repository's; "" if it can."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "A name has letters, digits, '-', '_' and '.', at most 96, and no '.' at its ends."
    if "--" in name or ".." in name or name.lower().endswith((".git", ".ipynb", ".lock")):
        return "A name has no '--' or '..' in it and does not end in .git, .ipynb or .lock."
    return ""


def fault_of_owner(name: object) -> str:
    """Why nobody can be called `name`; "" if somebody can."""
    return f'"{name}" is taken by the hub itself.' if name in RESERVED else fault_of_name(name)


def fault_of_path(path: object) -> str:
    """Why `path` cannot be a file's in a repository; "" if it can."""
    if not isinstance(path, str) or not path:
        return "A file needs a path."
    if len(path.encode("utf-8", "surrogatepass")) > _MAX_PATH_BYTES:
        return f"A path has at most {_MAX_PATH_BYTES} bytes."
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in path):
        return "A path has no control characters."
    if "\\" in path or re.match(r"[A-Za-z]:", path):
        return "A path has '/' between its parts and begins with no drive."
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
        return "A path is relative and has no '.', '..', '.git' or empty part."
    return ""


def fault_of_revision(name: object) -> str:
    """Why `name` cannot be a new branch's or tag's; "" if it can."""
    if not isinstance(name, str) or not _REVISION.fullmatch(name) or ".." in name:
        return "A branch or tag has letters, digits, '-', '_' and '.' in its name, at most 100."
    if name.endswith((".lock", ".")) or _HASH.fullmatch(name):
        return "A branch or tag does not end in '.' or '.lock' and does not look like a commit."
    return ""
