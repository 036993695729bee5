"""``python -m sandbox_project.shop --port 8002 --majuu http://127.0.0.1:8000 --folder var``"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from sandbox_project.shop.gateway import Gateway
from sandbox_project.shop.orders import Orders
from sandbox_project.shop.server import Shop


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="shop", description="The demo shop.")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--majuu", default="http://127.0.0.1:8000", metavar="URL", help="where Majuu is")
    parser.add_argument("--folder", type=Path, required=True, help="holds demo.json; the shop's records go there too")
    options = parser.parse_args(arguments)
    try:
        gateway = Gateway(url=options.majuu, secrets=options.folder / "demo.json")
        orders = Orders(options.folder / "shop.sqlite3")
        shop = Shop(port=options.port, gateway=gateway, orders=orders, majuu_url=options.majuu)
    except (OSError, KeyError, ValueError) as problem:
        print(f"the shop cannot open: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _stop)
    print(f"the shop is open at {shop.url}", flush=True)
    try:
        shop.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        print("the shop is closed", flush=True)
    finally:
        shop.server_close()
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
