"""What people and jobs leave behind."""
