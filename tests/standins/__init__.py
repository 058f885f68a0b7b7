"""Tests of the stand-ins' pictures and texts."""
