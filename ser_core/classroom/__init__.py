"""Classes of pupils who listen: who is in one, what they answered, and what that says.

`store.Store` keeps them in one SQLite database, `statistics` computes what a teacher shows.
"""
