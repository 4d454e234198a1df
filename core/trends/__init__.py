"""What a library is made of, and how that changes."""
