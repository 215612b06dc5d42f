"""What a visitor reads when something fails: the hub's own sentence, or an incident's id."""

from __future__ import annotations

import logging
import secrets

from hub.errors import ScorehubError

LONGEST = 1_000  # characters; what came in may be quoted, whatever its length

log = logging.getLogger("hub.ui")


def sentence(error: BaseException) -> str:
    """The text to show. Anything but a ScorehubError goes to the server's log with an id."""
    if isinstance(error, ScorehubError):
        text = str(error)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    incident = secrets.token_hex(4)
    log.error("incident %s", incident, exc_info=error)
    return (
        f"Something went wrong here; it is not your score's fault (incident {incident}). "
        "Your score and takes are still here: try again, or tell whoever runs this page."
    )
