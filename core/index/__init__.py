"""The index holds vectors and answers searches. One file a backend."""
