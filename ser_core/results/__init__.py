"""Results: saved runs, their titles, and their comparison with each other and with published numbers."""
