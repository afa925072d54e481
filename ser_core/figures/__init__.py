"""Pure functions: numbers in, a plotly Figure and one sentence that says what it shows out."""
