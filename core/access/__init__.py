"""Who may do what: roles and permissions as data, and how a visitor or a program says who it is."""
