"""A folder from which computers without a network install and run the course."""
