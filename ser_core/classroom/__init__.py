"""Classes of pupils who listen: who is in one, what they answered, and what that says.

`rules.Store` says who may do what and keeps it in one SQLite `database`, `statistics` computes what a teacher shows.
"""
