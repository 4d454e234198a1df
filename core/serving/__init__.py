"""HTTP: what programs and browsers get from the app's own port."""
