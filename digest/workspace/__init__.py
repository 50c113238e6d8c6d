"""`digest init`: a new workspace, from nothing or from a feed's or a site's address."""

from digest.workspace.create import Created, create

__all__ = ["Created", "create"]
