"""Who is measured beside whom, and at what."""

from collections.abc import Sequence

from bench.peers import SUBJECT, Peer, Server
from bench.quality import LONGEST_SIDE_PX
from bench.workloads import WAYS, Workload, plain_of

# The ideal downscale of more takes tens of gigabytes.
MOST_COMPARED_PX = 30_000_000


def can(peer: Peer, workload: Workload) -> bool:
    """Tell whether a peer is asked for a workload."""
    return workload.name not in peer.lacks and (workload not in WAYS or peer.name == SUBJECT)


def contestants(servers: Sequence[Server], workload: Workload) -> list[tuple[str, Server, Workload]]:
    """Return who takes turns: the peers, or for a way of uploading the mock that way and as ever, eight times each.

    A machine that others use is another one a minute later, so that what is compared has to be measured together; and
    one slot differs from the next by a tenth, so that what is nearly equal takes many, and short ones.
    """
    entries = [(server.name, server, workload) for server in servers]
    if workload not in WAYS:
        return entries
    plain = [(plain_of(workload).name, server, plain_of(workload)) for server in servers]
    return [*plain, *entries, *entries, *plain] * 4


def is_compared(workload: Workload) -> bool:
    """Tell whether a workload's pictures are downsized stills of a size that can be compared."""
    return all(
        picture.frames == 1
        and max(picture.size_px) > LONGEST_SIDE_PX
        and picture.width_px * picture.height_px < MOST_COMPARED_PX
        for picture in workload.pictures
    )
