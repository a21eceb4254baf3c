"""Client of the puya compiler daemon: one file, nothing but the standard library.

    from puya_daemon import compile_with_daemon_if_available

    result = compile_with_daemon_if_available(options_json, awst_json)
    if not result["success"]:
        print(result["error"])

The daemon speaks JSON-RPC 2.0 over WebSocket on 127.0.0.1:8765. It is started when it does not run;
where it cannot be had, the `puya` executable (environment variable PUYA_BIN, or on PATH) compiles
once by itself. Nothing here keeps state: every call opens a connection of its own.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Union

__all__ = [
    "DaemonError",
    "DaemonRefused",
    "DaemonRpcError",
    "DaemonUnreachable",
    "PuyaDaemonClient",
    "check_daemon_health",
    "compile_with_daemon_if_available",
    "ensure_daemon_running",
    "start_daemon_process",
    "terminate_daemon",
]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
DEFAULT_PID_FILE = Path("~/.puya/daemon.pid")

# a compilation may take 30 s by default, and others may be served before
DEFAULT_TIMEOUT = 120.0
START_TIMEOUT = 10.0
PING_TIMEOUT = 5.0

EXIT_ALREADY_RUNNING = 3
# from having the port to listening on it
RACE_GRACE = 1.0
FIRST_WAIT = 0.005
LONGEST_WAIT = 0.25

# what is to be done where somebody else listens
_NO_DAEMON = "; it is no puya daemon, so choose another port"

Json = Dict[str, Any]
AnyPath = Union[str, "os.PathLike[str]"]


class DaemonError(Exception):
    """The daemon gave no result."""


class DaemonUnreachable(DaemonError):
    """Nobody listens there."""


class DaemonRefused(DaemonError):
    """Who listens there does not let us in, or is no daemon."""


class DaemonRpcError(DaemonError):
    """The daemon answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message


# ---- the WebSocket protocol (RFC 6455), as much of it as a client needs


class _WebSocket:
    """A connection that sends and receives whole text messages until a deadline."""

    _GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    def __init__(self, host: str, port: int, deadline: float, token: Optional[str]) -> None:
        self._deadline = deadline
        self._buffer = bytearray()
        # a message and the answer to a ping must not mix
        self._sending = threading.Lock()
        try:
            # never through a proxy, and never through a resolver for the usual name
            address = DEFAULT_HOST if host.lower() == "localhost" else host
            self._socket = socket.create_connection((address, port), timeout=self._time_left())
        except OSError as error:
            where = f"no daemon can be reached on {host}:{port}: {error}"
            raise DaemonUnreachable(f"{where}; `puya --daemon --detach` starts one") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._handshake(host, port, token)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "_WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DaemonError("the daemon did not answer in time")
        return left

    def _handshake(self, host: str, port: int, token: Optional[str]) -> None:
        key = base64.b64encode(os.urandom(16))
        shown_host = f"[{host}]" if ":" in host else host
        lines = [
            "GET / HTTP/1.1",
            f"Host: {shown_host}:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key.decode()}",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        self._send_all("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > 65536 or not self._fill():
                raise DaemonRefused(f"who listens there does not speak WebSocket{_NO_DAEMON}")
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        status, *headers = head.decode("latin-1").split("\r\n")
        parts = status.split(" ", 2)
        if parts[0] != "HTTP/1.1" or len(parts) < 2:
            raise DaemonRefused(f"who listens there does not speak WebSocket{_NO_DAEMON}")
        if parts[1] != "101":
            while self._fill():
                pass
            body = bytes(self._buffer).partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip()
            # these a daemon says; its text tells what is missing
            hint = "" if parts[1] in ("401", "403", "503") else _NO_DAEMON
            raise DaemonRefused(f"{' '.join(parts[1:])}: {body}{hint}")
        accept = base64.b64encode(hashlib.sha1(key + self._GUID).digest()).decode()
        values = dict(line.split(":", 1) for line in headers if ":" in line)
        values = {name.strip().lower(): value.strip() for name, value in values.items()}
        if values.get("sec-websocket-accept") != accept:
            raise DaemonRefused("the answer to the handshake is wrong")
        self._buffer = bytearray(rest)

    def _send_all(self, data: bytes) -> None:
        self._socket.settimeout(self._time_left())
        try:
            with self._sending:
                self._socket.sendall(data)
        except socket.timeout as error:
            raise DaemonError("the daemon did not take the request in time") from error
        except OSError:
            # a daemon that refuses a message closes while we still send; what it said first counts
            pass

    def _fill(self) -> bool:
        """Reads some more. False at the end of the stream."""
        self._socket.settimeout(self._time_left())
        try:
            data = self._socket.recv(1 << 20)
        except socket.timeout as error:
            raise DaemonError("the daemon did not answer in time") from error
        except OSError as error:
            raise DaemonError(f"the connection to the daemon broke: {error}") from error
        self._buffer += data
        return bool(data)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not self._fill():
                raise DaemonError("the connection to the daemon broke")
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    @staticmethod
    def _frame(opcode: int, payload: bytes) -> bytes:
        length = len(payload)
        if length < 126:
            header = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 65536:
            header = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            header = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        return header + mask + _mask(payload, mask)

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        self._send_all(self._frame(opcode, payload))

    def send(self, text: str) -> None:
        self._send_frame(0x1, text.encode())

    def send_meanwhile(self, texts: List[str]) -> None:
        """Sends messages while others are received: a peer whose answers nobody takes stops reading."""
        frames = [self._frame(0x1, text.encode()) for text in texts]

        def send() -> None:
            try:
                for frame in frames:
                    self._send_all(frame)
            except DaemonError:
                # whoever waits for the answers is told
                pass

        threading.Thread(target=send, daemon=True).start()

    def receive(self) -> Optional[str]:
        """The next message; none when the daemon closes the connection."""
        message = b""
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self._take(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._take(8))
            payload = self._take(length)
            opcode = first & 0x0F
            if opcode == 0x9:
                self._send_frame(0xA, payload)
            elif opcode == 0x8:
                self._close_reason = payload
                self._send_frame(0x8, payload[:2])
                return None
            elif opcode in (0x0, 0x1):
                message += payload
                if first & 0x80:
                    return message.decode()

    def why_closed(self) -> str:
        payload = getattr(self, "_close_reason", b"")
        if len(payload) < 2:
            return "without a reason"
        return f"{struct.unpack('!H', payload[:2])[0]} {payload[2:].decode('utf-8', 'replace')}"

    def close(self) -> None:
        self._send_frame(0x8, struct.pack("!H", 1000))


def _mask(payload: bytes, mask: bytes) -> bytes:
    # one operation on a large integer: a loop over bytes would take seconds for a large message
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return masked.to_bytes(length, "little")


# ---- direct calls


class PuyaDaemonClient:
    """Calls a daemon; every call opens a connection of its own."""

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        timeout: float = DEFAULT_TIMEOUT,
        token: Optional[str] = None,
        token_file: Optional[AnyPath] = None,
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        if token is None and token_file is not None:
            token = Path(token_file).expanduser().read_text().strip()
        self.token = token

    def compile_sync(
        self,
        options_json: str,
        awst_json: str,
        source_annotations_json: Optional[str] = None,
        **more: Any,
    ) -> Json:
        """Compiles. `more` may hold base_path, log_level, write and return_artifacts."""
        params = {"options_json": options_json, "awst_json": awst_json, **more}
        if source_annotations_json is not None:
            params["source_annotations_json"] = source_annotations_json
        return self.call("compile", params)

    def compile_all_sync(self, requests: Iterable[Json]) -> List[Json]:
        """Compiles several in a row: `requests` are the parameters of `compile`, all of them sent
        on one connection without waiting for answers. The timeout is for all together."""
        texts = [_request(number, "compile", params) for number, params in enumerate(requests)]
        with self._connect() as connection:
            connection.send_meanwhile(texts)
            results = [_result(connection) for _ in texts]
            connection.close()
            return results

    def ping_sync(self) -> Json:
        """Asks for a sign of life."""
        return self.call("ping", {})

    def stop_server_sync(self) -> Json:
        """Stops the daemon; returns when it has finished its work and closed the connection."""
        with self._connect() as connection:
            result = self._exchange(connection, "stop", {})
            try:
                while connection.receive() is not None:
                    pass
            except DaemonError:
                # it is gone already
                pass
            return result

    def call(self, method: str, params: Json) -> Json:
        """Calls any method."""
        with self._connect() as connection:
            result = self._exchange(connection, method, params)
            connection.close()
            return result

    def _connect(self) -> _WebSocket:
        return _WebSocket(self.host, self.port, time.monotonic() + self.timeout, self.token)

    @staticmethod
    def _exchange(connection: _WebSocket, method: str, params: Json) -> Json:
        connection.send(_request(1, method, params))
        return _result(connection)


def _request(number: int, method: str, params: Json) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def _result(connection: _WebSocket) -> Json:
    text = connection.receive()
    if text is None:
        raise DaemonError(f"the daemon closed the connection: {connection.why_closed()}")
    answer = json.loads(text)
    if "result" in answer:
        return answer["result"]
    error = answer.get("error", {})
    raise DaemonRpcError(error.get("code", 0), error.get("message", "no message"))


# ---- life of a daemon


def _path_of_pid_file(pid_file: Optional[AnyPath]) -> Path:
    return Path(DEFAULT_PID_FILE if pid_file is None else pid_file).expanduser()


def _holder(pid_file: Path) -> Optional[int]:
    """The pid of the daemon that holds the file's lock. Without a lock a pid proves nothing."""
    try:
        with open(pid_file) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                text = file.read(32).strip()
                return int(text) if text.isdigit() and int(text) > 0 else None
    except OSError:
        pass
    return None


def check_daemon_health(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    pid_file: Optional[AnyPath] = None,
    token: Optional[str] = None,
) -> Json:
    """What can be seen of a daemon: pid_file_exists, pid_running, port_open, responsive, pid."""
    path = _path_of_pid_file(pid_file)
    holder = _holder(path)
    port_open = responsive = False
    pid = holder
    try:
        answer = PuyaDaemonClient(host, port, PING_TIMEOUT, token).ping_sync()
        port_open, responsive = True, answer.get("status") == "ok"
        pid = answer.get("pid", holder)
    except DaemonUnreachable:
        pass
    except (DaemonError, ValueError):
        port_open = True
    return {
        "pid_file_exists": path.exists(),
        "pid_running": holder is not None,
        "port_open": port_open,
        "responsive": responsive,
        "pid": pid,
    }


def _executable() -> str:
    path = os.environ.get("PUYA_BIN") or shutil.which("puya")
    if not path:
        raise DaemonError("there is no puya executable: set PUYA_BIN or put it on PATH")
    return path


def _wait(is_done: Callable[[], bool], timeout: float) -> bool:
    """Waits for something, looking less and less often, at times nobody else looks at."""
    deadline = time.monotonic() + timeout
    wait = FIRST_WAIT
    while not is_done():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, wait * random.uniform(0.5, 1)))
        wait = min(wait * 2, LONGEST_WAIT)
    return True


def start_daemon_process(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    pid_file: Optional[AnyPath] = None,
    extra_arguments: Optional[List[str]] = None,
    timeout: float = START_TIMEOUT,
) -> Json:
    """Starts a daemon in the background; returns {pid, address} when it answers.

    A daemon that runs there already is an error with exit_code 3.
    """
    command = [_executable(), "--daemon", "--detach", "--host", host, "--port", str(port)]
    if pid_file is not None:
        command += ["--pid-file", str(_path_of_pid_file(pid_file))]
    command += extra_arguments or []
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout + START_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DaemonError(f"the daemon cannot be started: {error}") from error
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip()
        error = DaemonError(text or f"the daemon ended with {done.returncode}")
        error.exit_code = done.returncode  # type: ignore[attr-defined]
        raise error
    # "puya daemon started: pid 123, ws://127.0.0.1:8765"
    _, _, rest = done.stdout.decode().strip().partition("pid ")
    pid, _, address = rest.partition(", ")
    return {"pid": int(pid), "address": address}


def ensure_daemon_running(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    pid_file: Optional[AnyPath] = None,
    timeout: float = START_TIMEOUT,
    token: Optional[str] = None,
    extra_arguments: Optional[List[str]] = None,
) -> bool:
    """Returns when a daemon answers there. True if it was started for this.

    Losing the race to start one is success.
    """
    client = PuyaDaemonClient(host, port, timeout, token)

    def answers() -> bool:
        try:
            client.ping_sync()
            return True
        except DaemonUnreachable:
            return False

    if answers():
        return False
    try:
        start_daemon_process(host, port, pid_file, extra_arguments, timeout)
        return True
    except DaemonError as error:
        if getattr(error, "exit_code", None) != EXIT_ALREADY_RUNNING:
            raise
        # somebody else was faster and listens by now; if nobody does, it is the pid file that a
        # daemon on another port holds
        if not _wait(answers, min(timeout, RACE_GRACE)):
            raise
        return False


def terminate_daemon(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    pid_file: Optional[AnyPath] = None,
    timeout: float = START_TIMEOUT,
    token: Optional[str] = None,
) -> bool:
    """Ends a daemon: asks it to stop, then SIGTERM, then SIGKILL. True when it is gone.

    Signals go only to a process that holds the lock of the pid file.
    """
    path = _path_of_pid_file(pid_file)
    client = PuyaDaemonClient(host, port, timeout, token)
    try:
        pid = client.ping_sync().get("pid")
        client.stop_server_sync()
        if _wait(lambda: not _is_running(pid), timeout):
            return True
    except DaemonError:
        pass
    for number in (signal.SIGTERM, signal.SIGKILL):
        holder = _holder(path)
        if holder is None:
            break
        try:
            os.kill(holder, number)
        except OSError:
            break
        if _wait(lambda: _holder(path) != holder, timeout):
            break
    return not check_daemon_health(host, port, path, token)["port_open"]


def _is_running(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # ended, but its parent has not noticed
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


# ---- compile, wherever it can be done


def compile_with_daemon_if_available(
    options_json: str,
    awst_json: str,
    source_annotations_json: Optional[str] = None,
    use_daemon: bool = True,
    auto_start_daemon: bool = True,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    base_path: Optional[AnyPath] = None,
    log_level: str = "info",
    pid_file: Optional[AnyPath] = None,
    token: Optional[str] = None,
) -> Json:
    """Compiles through a daemon, or with the executable where no daemon can be had.

    Returns {success, used_daemon, elapsed_time, error?, daemon_error?, logs}; never raises because
    of a daemon. Relative output paths start at base_path, by default the working directory.
    """
    started = time.monotonic()
    base = os.path.abspath(os.fspath(base_path) if base_path is not None else os.getcwd())
    result: Optional[Json] = None
    daemon_error: Optional[str] = None
    if use_daemon:
        client = PuyaDaemonClient(host, port, timeout, token)

        def ask() -> Json:
            return client.compile_sync(
                options_json,
                awst_json,
                source_annotations_json,
                base_path=base,
                log_level=log_level,
            )

        try:
            try:
                result = ask()
            except DaemonUnreachable:
                if not auto_start_daemon:
                    raise
                ensure_daemon_running(host, port, pid_file, START_TIMEOUT, token)
                result = ask()
            result = {**result, "used_daemon": True}
        except DaemonRpcError as error:
            if error.code in (-32001, -32602):
                # compiling here would only go round what the daemon was told
                result = {
                    "success": False,
                    "used_daemon": True,
                    "error": error.message,
                    "logs": [{"level": "critical", "message": error.message, "location": None}],
                }
            else:
                daemon_error = str(error)
        except (DaemonError, OSError, ValueError) as error:
            daemon_error = str(error)
    if result is None:
        result = _compile_with_executable(
            options_json, awst_json, source_annotations_json, base, log_level, timeout
        )
    outcome = {
        "success": bool(result["success"]),
        "used_daemon": bool(result["used_daemon"]),
        "elapsed_time": time.monotonic() - started,
        "logs": result["logs"],
    }
    if not outcome["success"]:
        outcome["error"] = result.get("error") or "the compilation failed"
    if daemon_error is not None:
        outcome["daemon_error"] = daemon_error
    return outcome


def _compile_with_executable(
    options_json: str,
    awst_json: str,
    source_annotations_json: Optional[str],
    base: str,
    log_level: str,
    timeout: float,
) -> Json:
    logs: List[Json] = []
    error: Optional[str] = None
    try:
        with tempfile.TemporaryDirectory(prefix="puya-") as folder:
            command = [_executable(), "--log-format", "json", "--log-level", log_level]
            texts = {
                "awst": awst_json,
                "options": options_json,
                "source-annotations": source_annotations_json,
            }
            for name, text in texts.items():
                if text is not None:
                    path = Path(folder) / f"{name}.json"
                    path.write_text(text, encoding="utf-8")
                    command += [f"--{name}", str(path)]
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=base,
                timeout=timeout,
                check=False,
            )
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            try:
                log = json.loads(line)
                log = {key: log.get(key) for key in ("level", "message", "location")}
                if log["location"]:
                    # log lines shorten paths, answers of the daemon do not
                    log["location"]["file"] = os.path.join(base, log["location"]["file"])
                logs.append(log)
            except (ValueError, AttributeError):
                logs.append({"level": "info", "message": line, "location": None})
        if done.returncode != 0:
            serious = (log for log in logs if log["level"] in ("error", "critical"))
            first = next(serious, {"message": done.stderr.decode("utf-8", "replace").strip()})
            error = first["message"] or f"puya ended with {done.returncode}"
    except (DaemonError, OSError, subprocess.TimeoutExpired) as failure:
        error = str(failure)
    result: Json = {"success": error is None, "used_daemon": False, "logs": logs}
    if error is not None:
        result["error"] = error
        if not logs:
            logs.append({"level": "critical", "message": error, "location": None})
    return result


def _main() -> int:
    """`puya_daemon.py [HOST] [PORT]`: the health report; exit code 0 if the daemon answers."""
    host = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_HOST
    port = int(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_PORT
    health = check_daemon_health(host, port)
    print(json.dumps(health))
    return 0 if health["responsive"] else 1


if __name__ == "__main__":
    sys.exit(_main())
