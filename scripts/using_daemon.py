"""How to compile through the puya daemon from Python.

    python3 scripts/using_daemon.py AWST.json OPTIONS.json

The first call starts the daemon (environment variable PUYA_BIN, or `puya` on PATH); later ones find
it running and take a few milliseconds. `puya --daemon-stop` ends it.
"""

import sys
from pathlib import Path

from puya_daemon import (
    PuyaDaemonClient,
    check_daemon_health,
    compile_with_daemon_if_available,
)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    awst_json, options_json = (Path(path).read_text("utf-8") for path in sys.argv[1:])

    # 1. the easy way: through a daemon if there can be one, with the executable otherwise
    result = compile_with_daemon_if_available(options_json, awst_json)
    for log in result["logs"]:
        place = log["location"]
        where = f"{place['file']}:{place['line']} " if place and place["file"] else ""
        print(f"{where}{log['level']}: {log['message']}")
    how = "daemon" if result["used_daemon"] else f"executable ({result.get('daemon_error')})"
    print(f"success: {result['success']}, by {how}, {result['elapsed_time'] * 1000:.1f} ms")

    # 2. the direct way: everything in memory, nothing written
    if check_daemon_health()["responsive"]:
        client = PuyaDaemonClient()
        result = client.compile_sync(options_json, awst_json, write=False, return_artifacts=True)
        for artifact in result["artifacts"]:
            program = artifact.get("approval") or artifact["program"]
            print(f"{artifact['id']}: {len(program['teal'].splitlines())} lines of TEAL")
        print(client.call("status", {}))
    return 0 if result["success"] else 1


if __name__ == "__main__":
    sys.exit(main())
