"""Into the library: from a dropped file to searchable entries."""
