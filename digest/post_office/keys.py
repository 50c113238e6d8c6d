"""The keys of links: which there are, and a new one."""

from __future__ import annotations

from dataclasses import dataclass

from digest.app import App
from digest.errors import UsageError
from subscribers.rotation import rotate as add_key


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret: `signs` for the one that makes new links; what the others signed still works."""

    id: str
    purpose: str
    signs: bool


def listed(app: App) -> list[Key]:
    signing, _ = app.keys.signing
    tokens = [Key(key_id, "links", key_id == signing) for key_id in app.keys.tokens]
    return [*tokens, Key("-", "suppression", signs=False)]


def rotate(app: App) -> str:
    """Add a key that signs from now on; returns its id. Processes that run take it up within a second."""
    if app.config.secrets.keys.get_secret_value():
        raise UsageError(
            "the keys come from the environment variable DIGEST_SECRETS__KEYS, where nothing can be added",
            mend="add `;token ID SECRET` at its end, a new id and 32 random bytes in URL-safe base64",
        )
    _ = app.keys  # where there is no file yet, it is made first
    return add_key(app.config.key_path(), remark=f"made on {app.now:%Y-%m-%d}")
