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

SIGNUP = {
    "asking": (
        (
            "You get the weekly roundup of %(publication)s by email, and can leave with one click in every mail. "
            "Nobody follows whether you open a mail or a link."
        ),
        "Subscribe",
    ),
    "confirming": (
        "Yes, I want the weekly roundup of %(publication)s by email, until I leave.",
        "Yes, subscribe me",
    ),
    "closed": ("Sign-up is closed", "Nobody can sign up here just now."),
    "too many": ("Please try again later", "Too many sign-ups have come from your network within the hour."),
}
"""What somebody agrees to, and the button beside it; what is said when nobody can, as title and text."""
