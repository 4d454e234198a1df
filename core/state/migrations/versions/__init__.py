"""One file a revision, each a step from the one before it."""
