"""The addresses at which a process and its descendants take TCP connections (Linux)."""

from pathlib import Path

LISTEN = "0A"


def listening(root: int) -> list[str]:
    """Local addresses as /proc/net tells them, hexadecimal, with the port; sorted."""
    sockets = {
        f"socket:[{fields[9]}]": fields[1]
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
        if (fields := line.split())[3] == LISTEN
    }
    found = set()
    for pid in family(root):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.add(str(entry.readlink()))
            except OSError:  # closed meanwhile
                continue
    return sorted(address for inode, address in sockets.items() if inode in found)


def on_loopback(address: str) -> bool:
    """127.0.0.0/8, ::1, or the former as a mapped IPv6 address."""
    host = address.split(":")[0]
    return (host.endswith("7F") and host[:-8] in ("", "0000000000000000FFFF0000")) or (
        host == "0" * 24 + "01000000"
    )


def family(root: int) -> list[int]:
    """A process and its descendants."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found
