"""What tests and developers may do to the mock that the real service never lets them: plain functions on Services."""
