"""The npm package, under real test runners."""
