"""Tests of the words for failed downloads, and of the pip that ends with its starter."""
