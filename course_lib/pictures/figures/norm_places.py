"""Post-norm beside pre-norm: where the norm is, and what passes by it. The drawing is `norm_places.svg`."""

from course_lib.pictures.figures.svg_files import as_html_image, as_text, read_svg, set_description


class NormPlaces:
    """Two diagrams side by side. `norm_places` makes them."""

    alt = (
        "Two diagrams of a sublayer with its residual; a straight line is the stream of x. In post-norm the norm is on "
        "that line, after the sum. In pre-norm it is on the side path, before the sublayer, and x passes by unchanged."
    )

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        root = read_svg("norm_places")
        set_description(root, self.alt)
        return as_text(root)

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        return as_html_image(self.svg(), self.alt, widest=760, narrowest=560)


def norm_places() -> NormPlaces:
    """Show where the norm is in post-norm and in pre-norm.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1; Xiong et al. 2020, arXiv:2002.04745, figure 1.
    """
    return NormPlaces()
