"""What holds for every test."""

import os

# Small tensors are fastest on one thread, and a sum's last digits do not depend on how many cores there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")
