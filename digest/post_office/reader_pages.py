"""What the web pages of readers do: the use cases behind leave, choose, come back, and the edition in the browser."""

from __future__ import annotations
