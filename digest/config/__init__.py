"""The configuration: config.toml with the environment over it, read once and handed to the app."""

from digest.config.loading import bundled, load
from digest.config.model import Config
from digest.config.slugs import slug

__all__ = ["Config", "bundled", "load", "slug"]
