"""What all tests share."""

import workflows  # noqa: F401  (first: it keeps numerical libraries to one thread)
