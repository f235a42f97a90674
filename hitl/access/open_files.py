"""The one file of ours that other people's pages load: the feedback widget, under an address that never changes.

Without Django: the settings name it.
"""

from collections.abc import MutableMapping
from typing import Final

WIDGET: Final = "/static/js/feedback.js"
# A page's visitors have a new version within the hour, and wait for none meanwhile.
CACHED: Final = "max-age=3600, public, stale-while-revalidate=86400"


def add_headers(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """Lets any page load the widget, also one that takes nothing in that does not say so itself."""
    if url == WIDGET:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cache-Control"] = CACHED
