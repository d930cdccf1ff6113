"""No window opens on a desktop while the figures are tested."""

import matplotlib as mpl

mpl.use("agg")
