"""Local servers that keep the rules of the services, to test against and to try the cloud path with no account."""
