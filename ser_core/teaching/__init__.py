"""What a class is taught with: a lesson of eight steps, and a glossary."""
