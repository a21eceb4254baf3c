"""Tests of puya_daemon.py against a real daemon.

    PUYA_BIN=target/debug/puya python3 scripts/test_puya_daemon.py
"""

import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import puya_daemon
from puya_daemon import (
    DaemonError,
    DaemonRefused,
    DaemonRpcError,
    DaemonUnreachable,
    PuyaDaemonClient,
    check_daemon_health,
    compile_with_daemon_if_available,
    ensure_daemon_running,
    start_daemon_process,
    terminate_daemon,
)

HOST = "127.0.0.1"
OPTIONS = json.dumps({"compilation_set": {"nothing": "out"}})


def free_port() -> int:
    """A port that was free a moment ago; not one of those that the system gives to others."""
    while True:
        port = random.randrange(24_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
        return port


class Test(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.pid_file = self.folder / "daemon.pid"
        self.port = free_port()
        self.addCleanup(terminate_daemon, HOST, self.port, self.pid_file)

    def start(self, *arguments: str) -> PuyaDaemonClient:
        started = start_daemon_process(HOST, self.port, self.pid_file, list(arguments))
        self.assertEqual(started["address"], f"ws://{HOST}:{self.port}")
        self.assertEqual(self.pid_file.read_text(), f"{started['pid']}\n")
        return PuyaDaemonClient(HOST, self.port)

    def health(self) -> dict:
        return check_daemon_health(HOST, self.port, self.pid_file)

    def test_life_of_a_daemon(self) -> None:
        nothing = {
            "pid_file_exists": False,
            "pid_running": False,
            "port_open": False,
            "responsive": False,
            "pid": None,
        }
        self.assertEqual(self.health(), nothing)
        client = self.start()
        pid = int(self.pid_file.read_text())
        everything = {name: True for name in nothing}
        self.assertEqual(self.health(), {**everything, "pid": pid})
        answer = client.ping_sync()
        self.assertEqual((answer["status"], answer["pid"]), ("ok", pid))
        result = client.stop_server_sync()
        self.assertEqual(result, {"success": True, "message": "Server stopping"})
        self.assertTrue(puya_daemon._wait(lambda: self.health() == nothing, 20))
        with self.assertRaises(DaemonUnreachable):
            client.ping_sync()

    def test_compile_directly(self) -> None:
        client = self.start()
        result = client.compile_sync(OPTIONS, "[]", base_path=str(self.folder))
        self.assertFalse(result["success"])
        self.assertIn("'nothing' not found", result["error"])
        self.assertEqual(result["logs"][0]["level"], "error")
        with self.assertRaises(DaemonRpcError) as raised:
            client.compile_sync(OPTIONS, "[]", log_level="loud")
        self.assertEqual(raised.exception.code, -32602)

    def test_compile_several_in_a_row(self) -> None:
        client = self.start()
        names = [f"nothing{number}" for number in range(20)]
        # more than the sockets hold, in both directions
        filler = "x" * (1 << 18)
        options = [json.dumps({"compilation_set": {name + filler: "out"}}) for name in names]
        requests = [{"options_json": text, "awst_json": "[]", "write": False} for text in options]
        results = client.compile_all_sync(requests)
        self.assertEqual([result["error"].split(filler)[0].split("'")[-1] for result in results], names)
        self.assertEqual(client.compile_all_sync([]), [])
        with self.assertRaises(DaemonRpcError):
            client.compile_all_sync([*requests, {"options_json": "{}"}])

    def test_large_messages_pass_in_both_directions(self) -> None:
        client = self.start()
        text = "é" * (1 << 20)
        with self.assertRaises(DaemonRpcError) as raised:
            client.call("ping", {text: 1})
        self.assertIn(text, raised.exception.message)

    def test_a_message_over_the_limit_is_told(self) -> None:
        client = self.start("--max-message-size", "1000")
        with self.assertRaises(DaemonError) as raised:
            client.call("ping", {"x": "y" * (4 << 20)})
        self.assertIn("1009", str(raised.exception))

    def test_a_token_is_asked_for(self) -> None:
        token_file = self.folder / "token"
        client = self.start("--token-file", str(token_file))
        with self.assertRaises(DaemonRefused):
            client.ping_sync()
        client = PuyaDaemonClient(HOST, self.port, token_file=token_file)
        self.assertEqual(client.ping_sync()["status"], "ok")
        client.stop_server_sync()

    def test_many_start_one(self) -> None:
        started = []

        def ensure() -> None:
            started.append(ensure_daemon_running(HOST, self.port, self.pid_file, 30))

        threads = [threading.Thread(target=ensure) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(started), [False, False, False, True])
        self.assertTrue(terminate_daemon(HOST, self.port, self.pid_file))
        self.assertFalse(self.pid_file.exists())

    def test_a_pid_without_a_lock_is_nobody(self) -> None:
        # our own pid: if it counted, this test would end itself
        self.pid_file.write_text(f"{os.getpid()}\n")
        self.assertFalse(self.health()["pid_running"])
        self.assertTrue(terminate_daemon(HOST, self.port, self.pid_file, timeout=1))

    def test_a_daemon_that_hangs_is_ended_by_force(self) -> None:
        self.start()
        pid = int(self.pid_file.read_text())
        os.kill(pid, signal.SIGSTOP)
        self.assertEqual(puya_daemon._holder(self.pid_file), pid)
        self.assertTrue(terminate_daemon(HOST, self.port, self.pid_file, timeout=0.3))
        self.assertIsNone(puya_daemon._holder(self.pid_file))

    def test_a_policy_of_the_daemon_is_not_gone_round(self) -> None:
        root = self.folder / "root"
        root.mkdir()
        self.start("--output-root", str(root))
        result = compile_with_daemon_if_available(
            OPTIONS, "[]", host=HOST, port=self.port, base_path=self.folder
        )
        self.assertTrue(result["used_daemon"])
        self.assertFalse(result["success"])
        self.assertIn("outside of the output root", result["error"])

    def test_compile_through_a_daemon_that_is_started_for_it(self) -> None:
        for _ in range(2):
            result = compile_with_daemon_if_available(
                OPTIONS, "[]", host=HOST, port=self.port, pid_file=self.pid_file
            )
            self.assertTrue(result["used_daemon"], result)
            self.assertNotIn("daemon_error", result)
            self.assertIn("'nothing' not found", result["error"])

    def test_compile_without_a_daemon(self) -> None:
        result = compile_with_daemon_if_available(
            OPTIONS, "[]", "{}", auto_start_daemon=False, host=HOST, port=self.port
        )
        self.assertFalse(result["used_daemon"])
        self.assertIn("no daemon can be reached", result["daemon_error"])
        self.assertIn("--daemon --detach", result["daemon_error"])
        self.assertIn("'nothing' not found", result["error"])
        self.assertEqual(result["logs"][0]["level"], "error")
        alone = compile_with_daemon_if_available(OPTIONS, "[]", use_daemon=False)
        self.assertNotIn("daemon_error", alone)
        self.assertFalse(alone["success"])

    def test_the_executable_is_found_on_the_path(self) -> None:
        executable = os.environ["PUYA_BIN"]
        (self.folder / "puya").symlink_to(os.path.abspath(executable))
        with unittest.mock.patch.dict(os.environ, {"PATH": str(self.folder)}):
            del os.environ["PUYA_BIN"]
            found = compile_with_daemon_if_available(OPTIONS, "[]", use_daemon=False)
            self.assertIn("'nothing' not found", found["error"])
            os.environ["PATH"] = ""
            missing = compile_with_daemon_if_available(OPTIONS, "[]", use_daemon=False)
        self.assertIn("set PUYA_BIN or put it on PATH", missing["error"])

    def test_who_is_no_daemon_is_not_taken_for_one(self) -> None:
        with socket.socket() as listener:
            listener.bind((HOST, self.port))
            listener.listen()

            def answer() -> None:
                peer, _ = listener.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

            thread = threading.Thread(target=answer)
            thread.start()
            result = compile_with_daemon_if_available(OPTIONS, "[]", host=HOST, port=self.port)
            thread.join()
        self.assertFalse(result["used_daemon"])
        self.assertIn("200 OK: hi; it is no puya daemon", result["daemon_error"])


if __name__ == "__main__":
    unittest.main()
