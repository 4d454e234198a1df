"""What one has: kept, copied, looked after."""
