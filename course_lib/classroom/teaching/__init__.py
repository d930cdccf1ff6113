"""What a teacher takes to a lesson: notes, and a sheet for learners to print."""
