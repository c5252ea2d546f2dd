"""The network of a board, for vboard/run: the pair of sockets between QEMU and the program that stands for the access point."""
import os
import socket
import subprocess

NAME, PASSWORD = "vboard", "password"  # of the access point
BOARD_BYTES = 16384  # what the board may have sent that nobody has taken yet: some eight frames, as a radio's buffers


class BadNetwork(Exception):
    pass


def add_arguments(parser):
    parser.add_argument("--net", action="store_true",
                        help=f"an access point is in reach, called {NAME}, with the password {PASSWORD}")
    parser.add_argument("--forward", metavar="PORT:PORT", action="append", default=[],
                        help="connections to the first, of 127.0.0.1, reach the device's second; may be repeated; implies --net")
    parser.add_argument("--net-loss", metavar="N", type=int, default=0, help="N percent of the frames are lost, of both directions")
    parser.add_argument("--net-control", metavar="FIFO",
                        help="what is written there changes the air: loss N, stall MS, down, up; made if it is not there")


def is_wanted(args):
    return args.net or args.forward or args.net_loss or args.net_control


class Network:
    """An access point that runs; `board` is the socket for QEMU to inherit."""

    def __init__(self, args, build):
        if args.icount:
            raise BadNetwork("a network is in the world's time, and --icount makes time of instructions; leave out one of them")
        if not (build / "air").exists():
            raise BadNetwork(f"no {build}/air; build it with: make vboard")
        self.board, air = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.board.setblocking(False)
        self.board.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BOARD_BYTES)
        command = [str(build / "air"), str(air.fileno()), NAME, PASSWORD, str(args.net_loss), *args.forward]
        with air, open(self.control_path(args.net_control), "r+b" if args.net_control else "rb", buffering=0) as control:
            self.process = subprocess.Popen(command, stdin=control, stdout=subprocess.PIPE, pass_fds=[air.fileno()])
        if not self.process.stdout.read(1):
            raise BadNetwork("there is no network (see above)")

    @staticmethod
    def control_path(path):
        if path is not None and not os.path.exists(path):
            os.mkfifo(path)
        return path or os.devnull

    def close(self):
        """The access point ends when no board is there any more."""
        self.board.close()
        self.process.wait()
