"""Who may log in, and what each group may do."""
