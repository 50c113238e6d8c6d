"""What a page says when something is refused: status → title and text, both message ids."""

from __future__ import annotations

SENTENCES = {
    400: ("That did not work", "Nothing was changed. Please go back and try again."),
    403: (
        "That did not come from here",
        "Nothing was changed: the form was sent by another site. Please open the link in your mail.",
    ),
    404: (
        "There is nothing here",
        "The link may have been cut off by your mail program. Copy all of it, or use the link in another mail.",
    ),
    405: ("That did not work", "Nothing was changed. Please go back and try again."),
}
