"""Fields that a relay reads in a message and takes out of it, so that its reports can name our mail.

They are before the message and not of it: neither the content hash nor a signature is about them."""

from __future__ import annotations

FIELDS = (b"x-pm-keepid", b"x-pm-metadata-message-id")
_LONGEST = 80
"""Characters of a value that Postmark takes."""


def for_postmark(message_id: str) -> bytes:
    """Its calls come with an identifier of its own: ours goes along as metadata; and the mail keeps ours, for it may be
    signed."""
    bare = message_id.strip("<>")
    fields = b"X-PM-KeepID: true\r\n"
    if len(bare) > _LONGEST:
        return fields
    return fields + f"X-PM-Metadata-message-id: {bare}\r\n".encode()
