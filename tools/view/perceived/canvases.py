"""Rules for encoders that cut an image into square tiles: the arrangement of tiles, and the size of the content.

The arithmetic, down to rounding and ties, is that of the image processors in the transformers library.
"""

import math
from typing import Literal

from pydantic import Field

from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.perceived.rule import Rule

__all__ = ["AnyResolution", "Grid", "LlamaTiles", "Splits"]


class LlamaTiles(Rule):
    """Enlarged or shrunk into the arrangement of tiles it fits best, and padded (Llama 3.2 Vision).

    ``get_optimal_tiled_canvas`` and ``get_image_size_fit_to_canvas`` of transformers' Mllama.
    """

    rule: Literal["llama_tiles"] = "llama_tiles"
    tile: int = Field(gt=0, default=560)
    most_tiles: int = Field(gt=0, default=4)

    def perceived(self, sent: Size) -> Size:
        """Return the size of the content: the picture is resized to it before it is padded."""
        room = self._arrangement(sent)
        # A picture is never enlarged beyond what makes its longer side one tile.
        height = min(max(sent.height, self.tile), room.height)
        width = min(max(sent.width, self.tile), room.width)
        down, across = height / sent.height, width / sent.width
        if across < down:
            return Size(min(math.floor(sent.height * across) or 1, height), width)
        return Size(height, min(math.floor(sent.width * down) or 1, width))

    def canvas(self, sent: Size) -> Size:
        """Return the content padded to whole tiles, as MedVision states it.

        For about one size in a thousand the processor adds one more tile that is padding alone.
        """
        content = self.perceived(sent)
        return Size(*(math.ceil(side / self.tile) * self.tile for side in (content.height, content.width)))

    def in_paper_v1(self, sent: Size) -> Size:
        """Return the content: here the first generation left out the padding."""
        return self.perceived(sent)

    def _arrangement(self, sent: Size) -> Size:
        """Return the size in pixels of the arrangement of tiles that enlarges least, or else shrinks least.

        Of several such arrangements, the smallest is returned.
        """
        rooms = [
            Size(rows * self.tile, columns * self.tile)
            for rows in range(1, self.most_tiles + 1)
            for columns in range(1, self.most_tiles // rows + 1)
        ]
        scales = {room: min(room.height / sent.height, room.width / sent.width) for room in rooms}
        best = min((scale for scale in scales.values() if scale >= 1), default=max(scales.values()))
        return min((room for room in rooms if scales[room] == best), key=lambda room: room.height * room.width)


class AnyResolution(Rule):
    """Enlarged or shrunk into the canvas that keeps most of its pixels, and padded (LLaVA-OneVision).

    ``select_best_resolution`` and ``get_patch_output_size`` of transformers, over all canvases of 1 to ``rows`` by
    1 to ``columns`` tiles. Holds for one picture in a message.
    """

    rule: Literal["any_resolution"] = "any_resolution"
    tile: int = Field(gt=0, default=384)
    rows: int = Field(gt=0, default=6)
    columns: int = Field(gt=0, default=6)

    def perceived(self, sent: Size) -> Size:
        """Return the size of the content: the picture is resized to it before it is padded."""
        room = self.canvas(sent)
        down, across = room.height / sent.height, room.width / sent.width
        if across < down:
            return Size(min(math.ceil(sent.height * across), room.height), room.width)
        return Size(room.height, min(math.ceil(sent.width * down), room.width))

    def canvas(self, sent: Size) -> Size:
        """Return the canvas that keeps most pixels of the picture; of several, the one with the least padding."""
        rooms = [
            Size(rows * self.tile, columns * self.tile)
            for rows in range(1, self.rows + 1)
            for columns in range(1, self.columns + 1)
        ]
        return max(rooms, key=lambda room: (kept := _kept(sent, room), kept - room.height * room.width))

    def in_paper_v1(self, sent: Size) -> Size:
        """Return the canvas of a picture with width and height swapped, as the first generation mistakenly did."""
        return self.canvas(Size(sent.width, sent.height))


class Grid(Rule):
    """Stretched to the grid of tiles whose shape is nearest to its own (InternVL).

    ``get_optimal_tiled_canvas`` of transformers' GOT-OCR 2, which InternVL shares. Like MedVision 1.2, and the server
    it asks, a model with a ``thumbnail`` may use one tile more than its ``most_tiles`` (``max_dynamic_patch``).
    """

    rule: Literal["grid"] = "grid"
    tile: int = Field(gt=0, default=448)
    least_tiles: int = Field(gt=0, default=1)
    most_tiles: int = Field(gt=0, default=12)
    thumbnail: bool = True

    def perceived(self, sent: Size) -> Size:
        """Return the size of the grid, which the picture fills."""
        most = self.most_tiles + (1 if self.thumbnail and self.most_tiles > 1 else 0)
        shapes = [
            (columns, rows)
            for columns in range(1, most + 1)
            for rows in range(1, most // columns + 1)
            if columns * rows >= self.least_tiles
        ]
        best, nearest = (1, 1), math.inf
        for columns, rows in sorted(shapes, key=lambda shape: shape[0] * shape[1]):
            distance = abs(sent.width / sent.height - columns / rows)
            # Of grids of one shape the larger is taken as long as the picture fills more than half of it.
            fills = 2 * sent.height * sent.width > self.tile**2 * columns * rows
            if distance < nearest or (distance == nearest and fills):
                best, nearest = (columns, rows), distance
        columns, rows = best
        return Size(rows * self.tile, columns * self.tile)

    def in_paper_v1(self, sent: Size) -> Size:  # noqa: ARG002
        """Return one tile: the first generation took every picture for one."""
        return Size(self.tile, self.tile)


class Splits(Rule):
    """Enlarged or shrunk to a longest side, then stretched to whole tiles (Idefics3, SmolVLM).

    ``get_resize_output_image_size`` and ``resize_for_vision_encoder`` of transformers' SmolVLM and Idefics3.
    """

    rule: Literal["splits"] = "splits"
    longest: int = Field(gt=0, le=4096, default=2048)
    tile: int = Field(gt=0, default=512)

    def perceived(self, sent: Size) -> Size:
        """Return the size of the tiles together, which the picture fills."""
        if sent.width >= sent.height:
            height, width = self._even(self.longest / (sent.width / sent.height)), self.longest
            width = self._whole(width)
            return Size(self._whole(int(width / (self.longest / height))), width)
        height, width = self.longest, self._even(self.longest * (sent.width / sent.height))
        height = self._whole(height)
        return Size(height, self._whole(int(height * (width / self.longest))))

    def _whole(self, side: int) -> int:
        """Return *side* rounded up to whole tiles, in pixels."""
        return math.ceil(side / self.tile) * self.tile

    @staticmethod
    def _even(side: float) -> int:
        """Return *side*, the shorter one, as an even number of pixels."""
        return max(1, int(side) + int(side) % 2)


def _kept(sent: Size, room: Size) -> int:
    """Return how many of the pixels of a picture of size *sent* remain when it is fitted into *room*."""
    scale = min(room.width / sent.width, room.height / sent.height)
    return min(int(sent.width * scale) * int(sent.height * scale), sent.width * sent.height)
