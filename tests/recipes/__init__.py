"""Projects that users copy, as docs/recipes.md shows them, and the tests that run them."""
