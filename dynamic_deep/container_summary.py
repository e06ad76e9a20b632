# SPDX-License-Identifier: Apache-2.0
"""What a pass over a `.ddc` file tells beside the frames: damage and bytes spent."""

from __future__ import annotations

from dataclasses import dataclass, field

from dynamic_deep.bitstream import FrameHead
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_marks import GapMark
from dynamic_deep.container_scan import Step


@dataclass(frozen=True, slots=True)
class Damage:
    """Frames in a row that a file does not give.

    Attributes:
        window_idx: window of the first of them; None if none is known to be missing.
        lead: lead of the first of them; None likewise.
        offset: byte of the file where the trouble begins.
        reason: what is wrong, for a person.
        n_frames: how many frames are missing, in order of sequence numbers.
    """

    window_idx: int | None
    lead: int | None
    offset: int
    reason: str
    n_frames: int = 1


@dataclass(slots=True)
class LevelUse:
    """What one level is used for in a file.

    Attributes:
        name: name of the level.
        n_frames: frames at this level.
        payload_bytes: bytes of their payloads.
    """

    name: str
    n_frames: int = 0
    payload_bytes: int = 0


@dataclass(slots=True)
class ContainerSummary:
    """What the bytes of a file are spent on. The parts add up to `n_bytes`.

    Attributes:
        header_bytes: header.
        frame_overhead_bytes: heads and checks of the frames.
        gap_bytes: gap marks.
        end_bytes: end mark with the index.
        damaged_bytes: bytes that could not be read, or follow the end.
        levels: level id -> use, for the levels that occur.
    """

    header_bytes: int = 0
    frame_overhead_bytes: int = 0
    gap_bytes: int = 0
    end_bytes: int = 0
    damaged_bytes: int = 0
    levels: dict[int, LevelUse] = field(default_factory=dict)

    @property
    def n_frames(self) -> int:
        """Frames that verify."""
        return sum(use.n_frames for use in self.levels.values())

    @property
    def payload_bytes(self) -> int:
        """Bytes of all payloads."""
        return sum(use.payload_bytes for use in self.levels.values())

    @property
    def framing_bytes(self) -> int:
        """Bytes beside the payloads, damage left out."""
        marks = self.gap_bytes + self.end_bytes
        return self.header_bytes + self.frame_overhead_bytes + marks

    @property
    def n_bytes(self) -> int:
        """Bytes of the file."""
        return self.payload_bytes + self.framing_bytes + self.damaged_bytes


class PassLog:
    """Collects what one pass finds.

    Args:
        n_leads: leads of the recording.
        header_bytes: bytes of the header.

    Attributes:
        damage: places that could not be read.
        skipped: frames that the writer left out.
        summary: what the bytes are spent on.
    """

    def __init__(self, n_leads: int, header_bytes: int) -> None:
        self.damage: list[Damage] = []
        self.skipped: list[Damage] = []
        self.summary = ContainerSummary(header_bytes=header_bytes)
        self._n_leads = n_leads

    def add_frame(self, name: str, head: FrameHead) -> None:
        """Count a frame at the level `name`."""
        use = self.summary.levels.setdefault(head.level_id, LevelUse(name))
        use.n_frames += 1
        use.payload_bytes += head.payload_len
        self.summary.frame_overhead_bytes += head.frame_len - head.payload_len

    def add_loss(self, step: Step, source: ByteSource) -> None:
        """Note a gap, or damage, that a step goes over."""
        at, due, after = step.offset, step.due, step.after
        if after is None:
            n_frames, n_bytes = 1, source.count_rest(at)
            reason = "a frame is damaged or cut off, and none follows"
        else:
            n_frames, n_bytes = after.due - due, after.offset - at
            reason = (
                f"{n_bytes} bytes do not verify" if n_bytes else "frames are missing"
            )
        if isinstance(step.item, GapMark):
            self.summary.gap_bytes += n_bytes
            reason = "left out by the writer"
            self.skipped.append(Damage(*self._place(due), at, reason, n_frames))
        else:
            self.add_damage(at, reason, n_bytes=n_bytes, due=due, n_frames=n_frames)

    def add_damage(
        self,
        offset: int,
        reason: str,
        *,
        n_bytes: int = 0,
        due: int = 0,
        n_frames: int = 0,
    ) -> None:
        """Note bytes that can't be read, and the frames from `due` on they cost."""
        self.summary.damaged_bytes += n_bytes
        window_idx, lead = self._place(due) if n_frames else (None, None)
        self.damage.append(Damage(window_idx, lead, offset, reason, n_frames))

    def _place(self, seq: int) -> tuple[int, int]:
        return divmod(seq, self._n_leads)
