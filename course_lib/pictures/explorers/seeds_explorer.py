"""Can so few seeds tell? Two variants seed by seed, their differences, and the interval in which the true one is."""

import math
from html import escape

import traitlets

from course_lib.pictures.explorers.base import Explorer
from course_lib.scoring.confidence import widening

SEEDS = range(2, 21)
SHOWN = (2, 3, 5, 10, 20)
MOST = 0.2


class SeedsExplorer(Explorer):
    """The losses of two variants with the same seeds, drawn at random, and whether the seeds can tell them apart.

    A loss is the mean, plus what its seed does to both variants, plus what it does to this one. Both are drawn from
    normal distributions in the browser, as is the interval, which is that of `interval_of_mean`.

    Args:
        seeds: how many there are at first.
        difference: by how many nats the new variant is really better, at first.
        shared: the standard deviation of what a seed does to both, in nats.
        own: the standard deviation of what a seed does to one of them, in nats.
        loss: the mean loss of the old variant, in nats.

    Raises ValueError for seeds that are not from 2 to 20, a difference that is not from 0 to 0.2, spreads that are not
    above 0, or a loss that is no number.
    """

    script = "seeds_explorer.js"
    data = traitlets.Dict().tag(sync=True)

    def __init__(
        self, seeds: int = 3, difference: float = 0.05, shared: float = 0.06, own: float = 0.04, loss: float = 3.5
    ) -> None:
        if seeds not in SEEDS:
            raise ValueError(f"seeds should be a whole number from 2 to 20, but is {seeds!r}")
        if not 0 <= difference <= MOST:
            raise ValueError(f"difference should be from 0 to {MOST} nats, but is {difference!r}")
        if not (0 < shared < math.inf and 0 < own < math.inf):
            raise ValueError(f"shared and own should be more than 0 nats, but they are {shared!r} and {own!r}")
        if not math.isfinite(loss):
            raise ValueError(f"loss should be a number, but is {loss!r}")
        wider = {str(n): widening(n) for n in SEEDS}
        spread = {"loss": loss, "shared": shared, "own": own}
        super().__init__(
            data={"seeds": int(seeds), "difference": difference, "most": MOST, "widening": wider, **spread}
        )

    def alt(self) -> str:
        """Say what is drawn, and how much the interval is widened."""
        found = self.data
        wider = ", ".join(f"{found['widening'][str(n)]:.2f} times with {n}" for n in SHOWN)
        return (
            f"Losses of two variants with {found['seeds']} seeds, drawn at random. The new one is better by "
            f"{found['difference']:.2f} nats, and the differences have a standard deviation of "
            f"{math.hypot(found['own'], found['own']):.3f} nats. The interval is that of the bootstrap, made wider: "
            f"{wider} seeds."
        )

    def static_html(self) -> str:
        """Return how much wider the interval is for a few numbers of seeds, as a table."""
        rows = "".join(f'<tr><th scope="row">{n}</th><td>{self.data["widening"][str(n)]:.2f}</td></tr>' for n in SHOWN)
        head = '<thead><tr><th scope="col">seeds</th><th scope="col">times wider</th></tr></thead>'
        caption = "<caption>How much wider the interval is than the bootstrap's</caption>"
        return f"<p>{escape(self.alt())}</p><table>{caption}{head}<tbody>{rows}</tbody></table>"
