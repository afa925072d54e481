"""What came out: saved runs, what they are called, and what they say beside each other."""
