"""A server that speaks MongoDB's wire protocol, as a child process: DESIGN 6."""

import os
import shutil
import subprocess
from pathlib import Path

import filelock
import platformdirs

SOURCE = Path(__file__).parent / "mongo_server"
VERSION = "1.47.0"
JAVA = ("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class CannotStartError(Exception):
    """Java, Maven or the jars are not to be had here."""


def jars():
    """Folder of the server's jars, fetched once for all checkouts and workers."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise CannotStartError(f"{program} is not installed: no MongoDB server for tests")
    folder = platformdirs.user_cache_path("vitrion") / f"mongo-java-server-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            incoming = folder.with_suffix(".incoming")
            shutil.rmtree(incoming, ignore_errors=True)
            command = ["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", "dependency:copy-dependencies"]
            fetched = subprocess.run(
                [*command, f"-DoutputDirectory={incoming}"], capture_output=True, text=True, check=False
            )
            if fetched.returncode != 0:
                raise CannotStartError(
                    f"Maven cannot fetch the MongoDB server for tests: {fetched.stdout.strip()[:300]}"
                )
            incoming.rename(folder)
    return folder


class MongoProcess:
    """One running server; it ends with `stop`, or when this process does."""

    def __init__(self, file=None):
        command = [*JAVA, "-cp", f"{jars()}/*", str(SOURCE / "TestServer.java"), *([str(file)] if file else [])]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "JAVA_TOOL_OPTIONS": ""},
        )
        for line in self._process.stdout:
            word, _, number = line.partition(" ")
            if word == "port":
                self.uri = f"mongodb://127.0.0.1:{int(number)}"
                return
        self.stop()
        raise CannotStartError("the MongoDB server for tests does not start")

    def stop(self):
        """Shut down cleanly."""
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()
        self.stop()
