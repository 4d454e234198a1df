"""Out of the library: from a question to the videos that answer it."""
