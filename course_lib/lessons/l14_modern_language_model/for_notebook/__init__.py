"""What notebook 14 does not explain: the small file that takes the real one's place, and the real model broken."""
